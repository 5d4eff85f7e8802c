(** ESGD at its virtual iterate y = theta - eta (b m - alpha h), which takes plain gradient steps: the bound for any batch,
    whose noise term falls with eta, and the linear rate under the Polyak-Lojasiewicz inequality. *)
From Coq Require Import Reals Lra Lia List.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters Tree Algorithms Tracking.
Import ListNotations.
Local Open Scope R_scope.

Section Virtual.
  Variable n : nat.
  Context {S : Type}.
  Variable G : list S -> vec -> S -> vec.
  Variables (alpha beta1 beta2 beta3 eta : R) (start : vec).
  Variables (f : vec -> R) (D : vec -> vec) (L f_inf : R).
  Variables (outs : list S -> list S) (w : list S -> S -> R) (variance : R).
  Let z := run G alpha beta1 beta2 beta3 eta start esgd_update.
  Let g := grad G alpha beta1 beta2 beta3 eta start esgd_update.
  Let h := slow G alpha beta1 beta2 beta3 eta start esgd_update.
  Let past := past G alpha beta1 beta2 beta3 eta start esgd_update.
  Let b := beta2 / (1 - beta2).
  Let t := age_weight alpha beta1 beta2.

  Definition delay (H : list S) : vec := fun i => b * m (z H) i - alpha * h H i.
  (** The virtual iterate. *)
  Definition virtual (H : list S) : vec := fun i => theta (z H) i - eta * delay H i.

  Variables (K tau2 : R).
  Hypothesis Pr : problem n beta1 beta2 eta f D L f_inf.
  Hypothesis Un : unbiased n G alpha beta1 beta2 beta3 eta start D outs w variance esgd_update.
  Hypothesis K_is : forall k, sum k (fun j => Rabs (t j)) <= K.
  Hypothesis tau2_is : forall k, sum k (fun j => t j * t j) <= tau2.

  Lemma proper : probabilities outs w.
  Proof. apply Un. Qed.
  Lemma variance_0 : 0 <= variance.
  Proof.
    destruct Un as [Pw U]. destruct (U []) as [_ V]. eapply Rle_trans; [|exact V].
    rewrite <- (next_const outs w Pw [] 0). apply (next_le outs w Pw). intros. apply sq_nonneg.
  Qed.

  Lemma virtual_S H s i : virtual (s :: H) i = virtual H i - eta * g H s i.
  Proof.
    destruct Pr as (_ & _ & _ & _ & _ & B2 & _). unfold virtual, delay.
    change (theta (z (s :: H)) i) with (theta (z H) i - eta * m (z (s :: H)) i).
    unfold h, z. rewrite m_S, slow_S. fold z h. fold g. unfold b. field. lra.
  Qed.

  (** *** The delay: past noise and past gradients *)
  Let slope := slope G alpha beta1 beta2 beta3 eta start esgd_update D.
  Let prefix (H : list S) j := skipn (length H - j) H.
  Let noise := noise G alpha beta1 beta2 beta3 eta start esgd_update D.
  Let e k := expect outs w k [] (fun H => sq n (D (theta (z H)))).

  Lemma delay_is H i : delay H i = sum (length H) (fun j => t j * past H i (length H - j)%nat).
  Proof.
    unfold delay, h, slow, z. destruct (along G alpha beta1 beta2 beta3 eta start esgd_update H i) as (_ & -> & _). fold past.
    exact (lag_filter alpha beta1 beta2 (past H i) (past_0 _ _ _ _ _ _ _ _ _ _) (length H)).
  Qed.

  Lemma slope_square j k : (j < k)%nat ->
    expect outs w k [] (fun H => sq n (slope (prefix H (k - j)))) = e (k - j - 1).
  Proof.
    intros Hj. destruct (k - j)%nat as [|d] eqn:Ed; [lia|]. replace (Datatypes.S d - 1)%nat with d by lia.
    rewrite (expect_ext_at outs w proper k _ (fun H => sq n (slope (skipn j H))))
      by (intros H HL; unfold prefix; rewrite HL; replace (k - Datatypes.S d)%nat with j by lia; reflexivity).
    replace k with (j + Datatypes.S d)%nat by lia.
    rewrite (expect_earlier outs w proper j (Datatypes.S d) [] (fun H => sq n (slope H))), expect_last.
    apply expect_ext. intros H. simpl. apply (next_const outs w proper).
  Qed.

  (** E |T_k|^2: the noise, and the gradients of the past. *)
  Let q (k : nat) : R := match k with O => 0 | Datatypes.S j => e j end.

  Lemma K_0 : 0 <= K.
  Proof. exact (K_is 0). Qed.

  Lemma delay_square k : expect outs w k [] (fun H => sq n (delay H))
    <= 2 * tau2 * variance + 2 * K * sum k (fun j => Rabs (t j) * q (k - j)%nat).
  Proof.
    set (N := fun H i => sum k (fun j => t (k - Datatypes.S j)%nat * noise H i (Datatypes.S j))).
    set (M := fun H i => sum k (fun j => t j * slope (prefix H (k - j)) i)).
    apply Rle_trans with (expect outs w k [] (fun H => 2 * sq n (N H) + 2 * K * sum k (fun j => Rabs (t j) * sq n (slope (prefix H (k - j)))))).
    - apply (expect_le_at outs w proper). intros H HL.
      assert (Sm : sq n (M H) <= K * sum k (fun j => Rabs (t j) * sq n (slope (prefix H (k - j))))).
      { unfold sq at 1. apply Rle_trans with (sum n (fun i => K * sum k (fun j => Rabs (t j) * (slope (prefix H (k - j)) i * slope (prefix H (k - j)) i)))).
        - apply sum_le; intros i _. unfold M. eapply Rle_trans; [apply weighted_square|]. apply Rmult_le_compat_r; [|apply K_is].
          apply sum_nonneg; intros. apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg].
        - rewrite sum_scal. apply Rmult_le_compat_l; [apply K_0|]. rewrite sum_exchange. apply Req_le, sum_ext; intros j _.
          rewrite sum_scal. reflexivity. }
      assert (De : forall i, delay H i = N H i + M H i).
      { intros i. rewrite delay_is, HL. unfold N. rewrite (sum_reverse k (fun j => t (k - Datatypes.S j)%nat * _)).
        unfold M. rewrite <- sum_plus. apply sum_ext; intros j Hj.
        replace (Datatypes.S (k - 1 - j)) with (k - j)%nat by lia. replace (k - (k - j))%nat with j by lia.
        change (noise H i (k - j)%nat) with (past H i (k - j)%nat - slope (prefix H (k - j)) i). ring. }
      assert (Tw : sq n (delay H) <= 2 * sq n (N H) + 2 * sq n (M H)).
      { unfold sq. rewrite <- !sum_scal, <- sum_plus. apply sum_le; intros i _. rewrite De.
        pose proof (square_nonneg (N H i - M H i)). lra. }
      lra.
    - rewrite (expect_plus outs w), !(expect_scal outs w), (expect_sum outs w proper).
      assert (Nz : expect outs w k [] (fun H => sq n (N H))
        <= sum k (fun j => t (k - Datatypes.S j)%nat * t (k - Datatypes.S j)%nat) * variance).
      { pose proof (noise_square n G alpha beta1 beta2 beta3 eta start esgd_update D outs w variance Un
          (fun _ => 0) (fun j => t (k - j)%nat) k) as Z.
        assert (Z0 : sq n (fun _ => 0) = 0)
          by (unfold sq; rewrite (sum_ext n _ (fun _ => 0)) by (intros; ring); apply sum_zero).
        rewrite Z0, Rplus_0_l in Z. eapply Rle_trans; [|exact Z]. apply Req_le, expect_ext; intros H.
        apply sq_ext; intros i _. unfold N. rewrite Rplus_0_l. reflexivity. }
      assert (Ts : sum k (fun j => t (k - Datatypes.S j)%nat * t (k - Datatypes.S j)%nat) * variance <= tau2 * variance).
      { apply Rmult_le_compat_r; [apply variance_0|]. eapply Rle_trans; [|apply (tau2_is k)]. apply Req_le.
        rewrite sum_reverse. apply sum_ext; intros j Hj. replace (k - Datatypes.S (k - 1 - j))%nat with j by lia. reflexivity. }
      rewrite (sum_ext k (fun j => expect outs w k [] _) (fun j => Rabs (t j) * q (k - j)%nat)); [lra|].
      intros j Hj. rewrite (expect_scal outs w), slope_square by exact Hj. f_equal. unfold q.
      destruct (k - j)%nat as [|d] eqn:Ed; [lia|]. f_equal. lia.
  Qed.

  (** *** Descent at the virtual iterate *)
  Lemma virtual_descent H : next outs w H (fun s => f (virtual (s :: H)))
    <= f (virtual H) - eta / 2 * sq n (D (virtual H)) - eta / 2 * (1 - L * eta) * sq n (D (theta (z H)))
       + L * L * eta * eta * eta / 2 * sq n (delay H) + L * eta * eta / 2 * variance.
  Proof.
    destruct Pr as (_ & HL & Sm & _ & _ & _ & He). destruct Un as [Pw U]. destruct (U H) as [U1 U2].
    set (y := virtual H) in *. set (d := D (theta (z H))) in *. set (p := D y).
    apply Rle_trans with (next outs w H (fun s => f y + (- eta * (sum n (fun i => p i * (G H (theta (z H)) s i - d i)) + dot n p d)
      + L / 2 * sq n (fun i => - eta * d i + - eta * (G H (theta (z H)) s i - d i))))).
    - apply (next_le outs w Pw). intros s. pose proof (smooth_upper n f D L Sm y (virtual (s :: H))) as Up. fold p in Up.
      assert (E1 : dot n p (fun i => virtual (s :: H) i - y i)
                   = - eta * (sum n (fun i => p i * (G H (theta (z H)) s i - d i)) + dot n p d)).
      { unfold dot. rewrite <- sum_plus, <- sum_scal. apply sum_ext; intros i _. rewrite virtual_S. fold y.
        unfold g, grad. fold z. ring. }
      assert (E2 : sq n (fun i => virtual (s :: H) i - y i) = sq n (fun i => - eta * d i + - eta * (G H (theta (z H)) s i - d i))).
      { apply sq_ext; intros i _. rewrite virtual_S. fold y. unfold g, grad. fold z. ring. }
      rewrite E1, E2 in Up. lra.
    - rewrite (next_plus outs w), (next_const outs w Pw), (next_plus outs w), !(next_scal outs w), (next_plus outs w),
        (next_const outs w Pw), (next_sum outs w).
      rewrite (sum_ext n (fun i => next outs w H _) (fun _ => 0)).
      2: { intros i _. rewrite (next_scal outs w), U1. ring. }
      rewrite sum_zero. pose proof (next_square outs w Pw n H (fun i => - eta * d i) (- eta) variance _ U1 U2) as Sq.
      cbv beta in Sq. rewrite sq_scaled in Sq. fold z in Sq. fold d in Sq. apply (Rmult_le_compat_l (L / 2)) in Sq; [|lra].
      assert (Lip : sq n (fun i => p i - d i) <= L * L * (eta * eta * sq n (delay H))).
      { eapply Rle_trans; [apply (smooth_lipschitz n f D L Sm HL)|]. apply Rmult_le_compat_l; [apply square_nonneg|].
        rewrite <- sq_scaled with (k := eta). apply Req_le. unfold sq. apply sum_ext; intros i _. unfold y, virtual. ring. }
      assert (Po : sq n (fun i => p i - d i) = sq n p + sq n d - 2 * dot n p d).
      { unfold sq, dot. rewrite <- sum_scal, <- sum_plus, <- sum_minus. apply sum_ext; intros; ring. }
      rewrite Po in Lip. apply (Rmult_le_compat_l (eta / 2)) in Lip; [|lra]. lra.
  Qed.

  (** The same in expectation over the run. *)
  Lemma descent_in_mean k : let a j := expect outs w j [] (fun H => f (virtual H)) in
    a (Datatypes.S k) <= a k - eta / 2 * expect outs w k [] (fun H => sq n (D (virtual H))) - eta / 2 * (1 - L * eta) * e k
      + L * L * eta * eta * eta / 2 * (2 * tau2 * variance + 2 * K * sum k (fun j => Rabs (t j) * q (k - j)%nat))
      + L * eta * eta / 2 * variance.
  Proof.
    intros a. destruct Pr as (_ & HL & _ & _ & _ & _ & He). unfold a. rewrite expect_last.
    pose proof (expect_le outs w proper k [] _ _ virtual_descent) as X.
    rewrite (expect_plus outs w), (expect_const outs w proper) in X.
    eapply Rle_trans; [exact X|]. apply Rplus_le_compat_r.
    rewrite (expect_ext outs w k [] _ (fun H => f (virtual H) + (- (eta / 2) * sq n (D (virtual H))
      + (- (eta / 2 * (1 - L * eta)) * sq n (D (theta (z H))) + L * L * eta * eta * eta / 2 * sq n (delay H))))) by (intros; ring).
    rewrite !(expect_plus outs w), !(expect_scal outs w). fold (e k).
    pose proof (delay_square k) as Ds. apply (Rmult_le_compat_l (L * L * eta * eta * eta / 2)) in Ds; [lra|].
    apply Rmult_le_pos; [repeat apply Rmult_le_pos; lra|lra].
  Qed.

  Lemma e_0 k : 0 <= e k.
  Proof. rewrite <- (expect_const outs w proper k [] 0). apply (expect_le outs w proper). intros. apply sq_nonneg. Qed.
  Lemma q_0 k : 0 <= q k.
  Proof. destruct k; [apply Rle_refl|apply e_0]. Qed.

  Lemma start_is : virtual [] = start.
  Proof.
    unfold virtual, delay, h, slow. simpl. apply FunctionalExtensionality.functional_extensionality. intros i. ring.
  Qed.

  Lemma tau2_0 : 0 <= tau2.
  Proof. exact (tau2_is 0). Qed.

  (** Any batch. *)
  Theorem small_batch T : 4 * (eta * L) <= 1 -> 8 * ((L * eta * K) * (L * eta * K)) <= 1 -> (0 < T)%nat ->
    mean_square_gradient n G alpha beta1 beta2 beta3 eta start D outs w esgd_update T
    <= 4 * (f start - f_inf) / (eta * INR T) + 2 * L * eta * variance * (1 + 2 * L * eta * tau2).
  Proof.
    intros S1 S2 HT. destruct Pr as (_ & HL & _ & Inf & _ & _ & He). pose proof K_0 as K0.
    set (a := fun j => expect outs w j [] (fun H => f (virtual H))). set (X := sum T e).
    set (C := L * L * eta * eta * eta / 2).
    assert (HC : 0 <= C) by (unfold C; repeat apply Rmult_le_pos; lra).
    assert (X0 : 0 <= X) by (apply sum_nonneg; intros; apply e_0).
    assert (HTR : 0 < INR T) by (apply lt_0_INR; exact HT).
    assert (Tel : a T - a 0%nat <= - (eta / 2 * (1 - L * eta)) * X
      + C * (2 * K * (K * X)) + INR T * (C * (2 * tau2 * variance) + L * eta * eta / 2 * variance)).
    { rewrite <- (sum_telescope T a).
      apply Rle_trans with (sum T (fun k => - (eta / 2 * (1 - L * eta)) * e k
        + (C * (2 * K) * sum k (fun j => Rabs (t j) * q (k - j)%nat) + (C * (2 * tau2 * variance) + L * eta * eta / 2 * variance)))).
      - apply sum_le; intros k _. pose proof (descent_in_mean k) as De. cbv zeta beta in De. fold C in De.
        change (expect outs w (Datatypes.S k) [] (fun H => f (virtual H))) with (a (Datatypes.S k)) in De.
        change (expect outs w k [] (fun H => f (virtual H))) with (a k) in De.
        assert (P0 : 0 <= expect outs w k [] (fun H => sq n (D (virtual H)))).
        { rewrite <- (expect_const outs w proper k [] 0). apply (expect_le outs w proper). intros. apply sq_nonneg. }
        assert (0 <= eta / 2 * expect outs w k [] (fun H => sq n (D (virtual H)))) by (apply Rmult_le_pos; lra). lra.
      - rewrite !sum_plus, !sum_scal, sum_const. fold X.
        pose proof (filter_energy T (fun j => Rabs (t j)) q K K_is q_0) as Fe. change (sum T (fun j => q (Datatypes.S j))) with X in Fe.
        assert (C * (2 * K) * sum T (fun k => sum k (fun j => Rabs (t j) * q (k - j)%nat)) <= C * (2 * K) * (K * X))
          by (apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|exact Fe]).
        change (sum T (fun i => e i)) with X. lra. }
    assert (Low : f_inf <= a T).
    { rewrite <- (expect_const outs w proper T [] f_inf). apply (expect_le outs w proper). intros; apply Inf. }
    assert (A0 : a 0%nat = f start) by (unfold a; simpl; rewrite start_is; reflexivity).
    assert (Co : eta / 4 * X <= eta / 2 * (1 - L * eta) * X - C * (2 * K * (K * X))).
    { replace (eta / 2 * (1 - L * eta) * X - C * (2 * K * (K * X)))
        with (eta / 2 * (1 - L * eta - 2 * (L * eta * K * (L * eta * K))) * X) by (unfold C; field).
      apply Rmult_le_compat_r; [exact X0|]. assert (1 / 2 <= 1 - L * eta - 2 * (L * eta * K * (L * eta * K))) by lra. nra. }
    unfold mean_square_gradient. fold z. change (sum T (fun k => expect outs w k [] (fun H => sq n (D (theta (z H)))))) with X.
    apply Rmult_le_reg_l with (eta / 4 * INR T); [apply Rmult_lt_0_compat; lra|].
    replace (eta / 4 * INR T * (X / INR T)) with (eta / 4 * X) by (field; lra).
    replace (eta / 4 * INR T * (4 * (f start - f_inf) / (eta * INR T) + 2 * L * eta * variance * (1 + 2 * L * eta * tau2)))
      with (f start - f_inf + INR T * (C * (2 * tau2 * variance) + L * eta * eta / 2 * variance)) by (unfold C; field; lra).
    lra.
  Qed.

  (** Under the Polyak-Lojasiewicz inequality. K_r bounds the sums of |t_i| r^-(i+1), r = 1 - eta mu. *)
  Theorem pl_rate mu K_r N : let r := 1 - eta * mu in
    pl n f D mu f_inf -> 0 < mu -> eta * mu < 1 ->
    (forall k, sum k (fun j => Rabs (t j) * / r ^ Datatypes.S j) <= K_r) ->
    2 * ((L * eta) * (L * eta)) * K * K_r <= 1 - L * eta ->
    expect outs w N [] (fun H => f (virtual H)) - f_inf
    <= r ^ N * (f start - f_inf) + L * eta * variance / (2 * mu) * (1 + 2 * L * eta * tau2).
  Proof.
    intros r Hpl Hmu Hr K_r_is St. destruct Pr as (_ & HL & _ & Inf & _ & _ & He). pose proof K_0 as K0.
    assert (R0 : 0 < r < 1) by (unfold r; split; [lra|]; assert (0 < eta * mu) by (apply Rmult_lt_0_compat; lra); lra).
    set (a := fun j => expect outs w j [] (fun H => f (virtual H)) - f_inf).
    set (C := L * L * eta * eta * eta / 2). set (V := C * (2 * tau2 * variance) + L * eta * eta / 2 * variance).
    assert (HC : 0 <= C) by (unfold C; repeat apply Rmult_le_pos; lra).
    assert (Pw : forall k, 0 < / r ^ k) by (intros; apply Rinv_0_lt_compat, pow_lt; lra).
    assert (V0 : 0 <= V).
    { pose proof variance_0. pose proof tau2_0. unfold V. apply Rplus_le_le_0_compat; repeat apply Rmult_le_pos; lra. }
    set (Z := sum N (fun k => / r ^ Datatypes.S k * e k)).
    assert (Z0 : 0 <= Z) by (apply sum_nonneg; intros; apply Rmult_le_pos; [left; apply Pw|apply e_0]).
    assert (One : forall k, a (Datatypes.S k) <= r * a k - eta / 2 * (1 - L * eta) * e k
      + C * (2 * K) * sum k (fun j => Rabs (t j) * q (k - j)%nat) + V).
    { intros k. pose proof (descent_in_mean k) as De. cbv zeta beta in De. fold C in De.
      assert (Pl : 2 * mu * a k <= expect outs w k [] (fun H => sq n (D (virtual H)))).
      { unfold a. replace (2 * mu * (expect outs w k [] (fun H => f (virtual H)) - f_inf))
          with (expect outs w k [] (fun H => 2 * mu * f (virtual H) + - (2 * mu * f_inf)))
          by (rewrite (expect_plus outs w), (expect_scal outs w), (expect_const outs w proper); ring).
        apply (expect_le outs w proper). intros H. pose proof (Hpl (virtual H)). lra. }
      apply (Rmult_le_compat_l (eta / 2)) in Pl; [|lra]. unfold V, r.
      replace ((1 - eta * mu) * a k) with (a k - eta / 2 * (2 * mu * a k)) by field. unfold a in *. lra. }
    (* Divided by r^k the steps telescope. *)
    assert (Tel : / r ^ N * a N - a 0%nat <= - (eta / 2 * (1 - L * eta)) * Z
      + C * (2 * K) * (K_r * Z) + V * sum N (fun k => / r ^ Datatypes.S k)).
    { replace (/ r ^ N * a N - a 0%nat) with (/ r ^ N * a N - / r ^ 0 * a 0%nat) by (rewrite pow_O, Rinv_1; ring).
      rewrite <- (sum_telescope N (fun k => / r ^ k * a k)).
      set (Q := fun k => match k with O => 0 | Datatypes.S j => / r ^ Datatypes.S j * e j end).
      assert (Q0 : forall k, 0 <= Q k) by (intros [|j]; [apply Rle_refl|apply Rmult_le_pos; [left; apply Pw|apply e_0]]).
      apply Rle_trans with (sum N (fun k => - (eta / 2 * (1 - L * eta)) * (/ r ^ Datatypes.S k * e k)
        + (C * (2 * K) * sum k (fun j => Rabs (t j) * / r ^ Datatypes.S j * Q (k - j)%nat) + V * / r ^ Datatypes.S k))).
      - apply sum_le; intros k _. pose proof (One k) as O. apply (Rmult_le_compat_l (/ r ^ Datatypes.S k)) in O; [|left; apply Pw].
        assert (E1 : / r ^ Datatypes.S k * (r * a k) = / r ^ k * a k) by (simpl; field; split; [apply pow_nonzero|]; lra).
        assert (E2 : / r ^ Datatypes.S k * sum k (fun j => Rabs (t j) * q (k - j)%nat)
                     = sum k (fun j => Rabs (t j) * / r ^ Datatypes.S j * Q (k - j)%nat)).
        { rewrite <- sum_scal. apply sum_ext; intros j Hj. unfold q, Q. destruct (k - j)%nat as [|d] eqn:Ed; [lia|].
          replace (Datatypes.S k) with (Datatypes.S j + Datatypes.S d)%nat by lia. rewrite pow_add. field.
          split; apply pow_nonzero; lra. }
        rewrite <- E2. lra.
      - rewrite !sum_plus, !sum_scal. fold Z.
        pose proof (filter_energy N (fun j => Rabs (t j) * / r ^ Datatypes.S j) Q K_r K_r_is Q0) as Fe.
        change (sum N (fun j => Q (Datatypes.S j))) with Z in Fe.
        assert (C * (2 * K) * sum N (fun k => sum k (fun j => Rabs (t j) * / r ^ Datatypes.S j * Q (k - j)%nat)) <= C * (2 * K) * (K_r * Z))
          by (apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|exact Fe]). lra. }
    assert (Co : - (eta / 2 * (1 - L * eta)) * Z + C * (2 * K) * (K_r * Z) <= 0).
    { replace (- (eta / 2 * (1 - L * eta)) * Z + C * (2 * K) * (K_r * Z))
        with (- (eta / 2 * ((1 - L * eta) - 2 * (L * eta * (L * eta)) * K * K_r) * Z)) by (unfold C; field).
      assert (0 <= eta / 2 * (1 - L * eta - 2 * (L * eta * (L * eta)) * K * K_r) * Z)
        by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|exact Z0]). lra. }
    assert (Geo : forall k, r ^ k * sum k (fun j => / r ^ Datatypes.S j) * (eta * mu) <= 1).
    { intros k. replace (eta * mu) with (1 - r) by (unfold r; ring).
      assert (E : r ^ k * sum k (fun j => / r ^ Datatypes.S j) * (1 - r) = 1 - r ^ k).
      { induction k as [|k IH]; [simpl; ring|]. rewrite sum_S. simpl pow in *.
        replace (r * r ^ k * (sum k (fun j => / (r * r ^ j)) + / (r * r ^ k)) * (1 - r))
          with (r * (r ^ k * sum k (fun j => / (r * r ^ j)) * (1 - r)) + (1 - r)) by (field; split; [apply pow_nonzero|]; lra).
        rewrite IH. ring. }
      rewrite E. assert (0 < r ^ k) by (apply pow_lt; lra). lra. }
    assert (A0 : a 0%nat = f start - f_inf) by (unfold a; simpl; rewrite start_is; reflexivity).
    change (a N <= r ^ N * (f start - f_inf) + L * eta * variance / (2 * mu) * (1 + 2 * L * eta * tau2)).
    assert (PN : 0 < r ^ N) by (apply pow_lt; lra).
    assert (Fin : a N <= r ^ N * (a 0%nat + V * sum N (fun k => / r ^ Datatypes.S k))).
    { apply Rmult_le_reg_l with (/ r ^ N); [apply Pw|]. rewrite <- Rmult_assoc, Rinv_l by lra. lra. }
    rewrite A0 in Fin. eapply Rle_trans; [exact Fin|]. rewrite Rmult_plus_distr_l. apply Rplus_le_compat_l.
    replace (L * eta * variance / (2 * mu) * (1 + 2 * L * eta * tau2)) with (V * / (eta * mu)) by (unfold V, C; field; lra).
    replace (r ^ N * (V * sum N (fun k => / r ^ Datatypes.S k))) with (V * (r ^ N * sum N (fun k => / r ^ Datatypes.S k))) by ring.
    apply Rmult_le_compat_l; [exact V0|].
    apply Rmult_le_reg_r with (eta * mu); [apply Rmult_lt_0_compat; lra|]. rewrite Rinv_l by (apply Rmult_integral_contrapositive; lra).
    apply Geo.
  Qed.
End Virtual.
