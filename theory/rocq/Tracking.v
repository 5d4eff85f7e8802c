(** The error of the momentum: how far m is from the gradient at the point where it was taken, summed over a run of any of
    the methods. Two bounds, one from the recursions and one from the filter's weights. *)
From Coq Require Import Reals Lra Lia List.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters Tree TheoremN Algorithms.
Import ListNotations.
Local Open Scope R_scope.

Lemma weighted_square k (t a : nat -> R) :
  sum k (fun j => t j * a j) * sum k (fun j => t j * a j) <= sum k (fun j => Rabs (t j)) * sum k (fun j => Rabs (t j) * (a j * a j)).
Proof.
  pose proof (cauchy_schwarz_square k (fun j => sqrt (Rabs (t j))) (fun j => sqrt (Rabs (t j)) * Rabs (a j))) as C.
  assert (R : forall j, sqrt (Rabs (t j)) * sqrt (Rabs (t j)) = Rabs (t j)) by (intros; apply sqrt_sqrt, Rabs_pos).
  assert (E1 : dot k (fun j => sqrt (Rabs (t j))) (fun j => sqrt (Rabs (t j)) * Rabs (a j)) = sum k (fun j => Rabs (t j * a j)))
    by (unfold dot; apply sum_ext; intros; rewrite <- Rmult_assoc, R, Rabs_mult; reflexivity).
  assert (E2 : sq k (fun j => sqrt (Rabs (t j))) = sum k (fun j => Rabs (t j))) by (unfold sq; apply sum_ext; intros; apply R).
  assert (E3 : sq k (fun j => sqrt (Rabs (t j)) * Rabs (a j)) = sum k (fun j => Rabs (t j) * (a j * a j))).
  { unfold sq. apply sum_ext; intros j _. replace (a j * a j) with (Rabs (a j) * Rabs (a j))
      by (rewrite <- Rabs_mult; apply Rabs_right, Rle_ge, square_nonneg). rewrite <- (R j) at 3. ring. }
  rewrite E1, E2, E3 in C. eapply Rle_trans; [|exact C]. apply square_abs_le, sum_abs.
Qed.

Section Length.
  Context {S : Type}.
  Variables (outs : list S -> list S) (w : list S -> S -> R).
  Hypothesis proper : probabilities outs w.
  (** After k draws the history has k draws. *)
  Lemma expect_le_at k X Y : (forall H, length H = k -> X H <= Y H) -> expect outs w k [] X <= expect outs w k [] Y.
  Proof.
    assert (Q : forall H0, (forall H, length H = (k + length H0)%nat -> X H <= Y H) -> expect outs w k H0 X <= expect outs w k H0 Y).
    { induction k as [|j IH]; intros H0 HXY; [apply HXY; reflexivity|]. apply (next_le outs w proper). intros s.
      apply IH. intros H HL. apply HXY. simpl in HL |- *. lia. }
    intros HXY. apply Q. intros H HL. apply HXY. simpl in HL. lia.
  Qed.
  Lemma expect_ext_at k X Y : (forall H, length H = k -> X H = Y H) -> expect outs w k [] X = expect outs w k [] Y.
  Proof. intros E. apply Rle_antisym; apply expect_le_at; intros H HL; rewrite (E H HL); apply Rle_refl. Qed.
End Length.

Lemma skipn_split {A} j (l : list A) : (j < length l)%nat -> exists x, skipn j l = x :: skipn (S j) l.
Proof.
  revert l; induction j as [|j IH]; intros [|y l] H; simpl in *; try lia; [exists y; reflexivity|]. apply IH. lia.
Qed.

Section Tracking.
  Variable n : nat.
  Context {S : Type}.
  Variable G : list S -> vec -> S -> vec.
  Variables (alpha beta1 beta2 beta3 eta : R) (start : vec).
  Variable update : nat -> vec -> vec -> vec -> vec.
  Variable D : vec -> vec.
  Variables (outs : list S -> list S) (w : list S -> S -> R) (variance : R).
  Let z := run G alpha beta1 beta2 beta3 eta start update.
  Let past := past G alpha beta1 beta2 beta3 eta start update.
  Let slow := slow G alpha beta1 beta2 beta3 eta start update.
  Let c := - alpha * (1 - beta1).
  Let b := beta2 / (1 - beta2).
  Let t := age_weight alpha beta1 beta2.
  Let omega := weight alpha beta1 beta2.

  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1).
  Hypothesis Un : unbiased n G alpha beta1 beta2 beta3 eta start D outs w variance update.

  (** The gradient at the point of the last step, 0 before the first; the noise in what the method saw. *)
  Definition slope (H : list S) : vec := match H with [] => fun _ => 0 | _ :: K => D (theta (z K)) end.
  Let prefix (H : list S) j := skipn (length H - j) H.
  Definition noise (H : list S) (i j : nat) : R := past H i j - slope (prefix H j) i.

  Lemma prefix_longer s H j : (j <= length H)%nat -> prefix (s :: H) j = prefix H j.
  Proof. intros Hj. unfold prefix. simpl length. rewrite Nat.sub_succ_l by exact Hj. reflexivity. Qed.

  (** A martingale's square: no products of different steps are left. *)
  Lemma noise_square (rest : vec) (p : nat -> R) k :
    expect outs w k [] (fun H => sq n (fun i => rest i + sum k (fun j => p (Datatypes.S j) * noise H i (Datatypes.S j))))
    <= sq n rest + sum k (fun j => p (Datatypes.S j) * p (Datatypes.S j)) * variance.
  Proof.
    pose proof (proj1 Un) as Pw. induction k as [|k IH].
    - simpl. apply Req_le. rewrite Rmult_0_l, Rplus_0_r. apply sq_ext; intros; ring.
    - set (xi := fun H i => rest i + sum k (fun j => p (Datatypes.S j) * noise H i (Datatypes.S j))) in *.
      rewrite expect_last, sum_S, Rmult_plus_distr_r.
      apply Rle_trans with (expect outs w k [] (fun H => sq n (xi H) + p (Datatypes.S k) * p (Datatypes.S k) * variance)).
      + apply (expect_le_at outs w Pw). intros H HL. destruct (proj2 Un H) as [U1 U2].
        eapply Rle_trans; [|exact (next_square outs w Pw n H (xi H) (p (Datatypes.S k)) variance _ U1 U2)].
        apply Req_le, next_ext. intros s. apply sq_ext; intros i _. rewrite sum_S. unfold xi. rewrite <- Rplus_assoc. f_equal.
        * f_equal. apply sum_ext; intros j Hj. f_equal. unfold noise. rewrite prefix_longer by lia.
          unfold past. rewrite past_longer by lia. reflexivity.
        * f_equal. unfold noise, prefix. replace (Datatypes.S k) with (length (s :: H)) by (simpl; lia).
          unfold past. rewrite past_now, Nat.sub_diag. reflexivity.
      + rewrite (expect_plus outs w), (expect_const outs w Pw), <- Rplus_assoc. apply Rplus_le_compat_r. exact IH.
  Qed.

  (** *** The error *)
  Definition error (H : list S) : vec :=
    match H with [] => fun _ => 0 | _ :: K => fun i => m (z H) i - D (theta (z K)) i end.
  (** How far the gradient moved in the last step. *)
  Definition drift (H : list S) : vec :=
    match H with [] => fun _ => 0 | _ :: K => fun i => D (theta (z H)) i - D (theta (z K)) i end.

  Definition tracked (Cd C0 Cs : R) : Prop := forall T,
    sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (error H)))
    <= Cd * sum T (fun k => expect outs w k [] (fun H => sq n (drift H))) + C0 * sq n (D start) + Cs * INR T * variance.

  (** By the recursions. *)
  Theorem tracking_by_recursion : tracked (C_delta beta1 beta2 c) (C_zero beta1 beta2 c) (C_noise beta1 beta2 c).
  Proof.
    pose proof (proj1 Un) as Pw.
    set (A := / (1 - beta2)). set (B := 2 * (c * c) / (1 - beta1)).
    assert (HA : 0 <= A) by (apply inverse_nonneg; lra).
    assert (HB : 0 <= B) by (apply Rmult_le_pos; [pose proof (square_nonneg c); lra|apply inverse_nonneg; lra]).
    set (before := before D (fun H => theta (z H))).
    set (V := fun H => A * beta2 * sq n (fun i => m (z H) i - before H i) + B * sq n (fun i => slow H i - before H i)).
    set (grad := grad G alpha beta1 beta2 beta3 eta start update).
    assert (One : forall H, next outs w H (fun s => sq n (error (s :: H)) + V (s :: H))
                  <= V H + C_delta beta1 beta2 c * sq n (drift H) + C_noise beta1 beta2 c * variance).
    { intros H. destruct Un as [_ U].
      pose proof (error_m n D outs w Pw beta2 c B2 grad (fun H => theta (z H)) slow (fun H => m (z H))
        (m_S G alpha beta1 beta2 beta3 eta start update) variance (fun H => proj1 (U H)) (fun H => proj2 (U H)) H) as Em.
      pose proof (error_h n D outs w Pw beta1 B1 grad (fun H => theta (z H)) slow
        (slow_S G alpha beta1 beta2 beta3 eta start update) variance (fun H => proj1 (U H)) (fun H => proj2 (U H)) H) as Eh.
      cbv beta in Em, Eh. fold before in Em, Eh.
      assert (Ed : sq n (fun i => before H i - D (theta (z H)) i) = sq n (drift H))
        by (destruct H; unfold sq; apply sum_ext; intros; simpl; ring).
      rewrite Ed in Em, Eh.
      apply (Rmult_le_compat_l A) in Em; [|exact HA]. apply (Rmult_le_compat_l B) in Eh; [|exact HB].
      eapply Rle_trans with (next outs w H (fun s => A * sq n (fun i => m (z (s :: H)) i - D (theta (z H)) i)
        + B * sq n (fun i => slow (s :: H) i - D (theta (z H)) i))).
      - apply Req_le, next_ext; intros s. unfold V. change (before (s :: H)) with (D (theta (z H))).
        change (error (s :: H)) with (fun i => m (z (s :: H)) i - D (theta (z H)) i).
        set (x := sq n (fun i => m (z (s :: H)) i - D (theta (z H)) i)).
        replace (A * x) with (x + A * beta2 * x) by (unfold A; field; lra). ring.
      - rewrite !(next_plus outs w), !(next_scal outs w). unfold V.
        set (e2 := sq n (fun i => m (z H) i - before H i)) in *. set (h2 := sq n (fun i => slow H i - before H i)) in *.
        set (d2 := sq n (drift H)) in *.
        assert (E : A * (beta2 * e2 + 2 * (1 - beta2) * (c * c) * h2
                         + 2 * (1 - beta2) * ((beta2 / (1 - beta2) + c) * (beta2 / (1 - beta2) + c)) * d2
                         + (1 - beta2) * (1 - beta2) * ((1 - c) * (1 - c)) * variance)
                    + B * (beta1 * h2 + beta1 * beta1 / (1 - beta1) * d2 + (1 - beta1) * (1 - beta1) * variance)
                    = A * beta2 * e2 + B * h2 + C_delta beta1 beta2 c * d2 + C_noise beta1 beta2 c * variance)
          by (unfold A, B, C_delta, C_noise; field; lra).
        lra. }
    assert (Sum : forall T, sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (error H))) + expect outs w T [] V
      <= V [] + C_delta beta1 beta2 c * sum T (fun k => expect outs w k [] (fun H => sq n (drift H)))
         + C_noise beta1 beta2 c * INR T * variance).
    { induction T as [|T IH]; [simpl; lra|]. rewrite !sum_S, S_INR, !expect_last.
      pose proof (expect_le outs w Pw T [] _ _ One) as O.
      rewrite (expect_ext outs w T [] (fun H => next outs w H (fun s => sq n (error (s :: H)) + V (s :: H)))
        (fun H => next outs w H (fun s => sq n (error (s :: H))) + next outs w H (fun s => V (s :: H)))) in O
        by (intros; apply next_plus).
      rewrite !(expect_plus outs w), (expect_scal outs w), (expect_const outs w Pw) in O. lra. }
    intros T. specialize (Sum T).
    assert (0 <= expect outs w T [] V).
    { rewrite <- (expect_const outs w Pw T [] 0). apply (expect_le outs w Pw). intros H. unfold V.
      apply Rplus_le_le_0_compat; apply Rmult_le_pos; try apply sq_nonneg; [apply Rmult_le_pos; lra|exact HB]. }
    assert (V0 : V [] = C_zero beta1 beta2 c * sq n (D start)).
    { unfold V. change (before []) with (D start).
      replace (sq n (fun i => m (z []) i - D start i)) with (sq n (D start)) by (unfold sq; apply sum_ext; intros; simpl; ring).
      replace (sq n (fun i => slow [] i - D start i)) with (sq n (D start))
        by (unfold sq; apply sum_ext; intros; unfold slow, Algorithms.slow; simpl; ring).
      unfold A, B, C_zero. field. lra. }
    lra.
  Qed.

  (** By the filter: K, tau2 and omega2 bound the sums of |t_i|, t_i^2 and w_i^2. *)
  Section Filter.
    Variables (K tau2 omega2 : R).
    Hypothesis K_is : forall k, sum k (fun i => Rabs (t i)) <= K.
    Hypothesis tau2_is : forall k, sum k (fun i => t i * t i) <= tau2.
    Hypothesis omega2_is : forall k, sum k (fun i => omega i * omega i) <= omega2.

    Let moved H j i := slope (prefix H (Datatypes.S j)) i - slope (prefix H j) i.

    Lemma error_is H i k : length H = Datatypes.S k ->
      error H i = (- t k * D start i + sum (Datatypes.S k) (fun j => omega (k - j)%nat * noise H i (Datatypes.S j)))
                  + - sum k (fun j => t j * moved H (k - j)%nat i).
    Proof.
      intros HL. destruct H as [|s H']; [discriminate|]. set (H := s :: H') in *.
      pose (g' := fun j => slope (prefix H j) i).
      assert (g0 : g' 0%nat = 0) by (unfold g', prefix; rewrite Nat.sub_0_r, skipn_all; reflexivity).
      assert (gk : g' (Datatypes.S k) = D (theta (z H')) i).
      { unfold g', prefix. rewrite HL, Nat.sub_diag. reflexivity. }
      assert (g1 : g' 1%nat = D start i).
      { unfold g', prefix. rewrite HL. replace (Datatypes.S k - 1)%nat with k by lia. unfold H in HL |- *. clear -HL.
        assert (E : exists x, skipn k (s :: H') = [x]).
        { assert (LL : length (skipn k (s :: H')) = 1%nat) by (rewrite skipn_length; lia).
          destruct (skipn k (s :: H')) as [|x [|? ?]]; try discriminate. exists x. reflexivity. }
        destruct E as [x E]. rewrite E. reflexivity. }
      pose proof (transport alpha beta1 beta2 g' g0 k ltac:(lra)) as Tr. rewrite !lag_filter in Tr by exact g0. fold t in Tr.
      rewrite sum_S in Tr. replace (Datatypes.S k - k)%nat with 1%nat in Tr by lia. rewrite gk, g1 in Tr.
      assert (Mv : sum k (fun j => t j * moved H (k - j)%nat i)
                   = sum k (fun i0 => t i0 * g' (Datatypes.S k - i0)%nat) - sum k (fun i0 => t i0 * g' (k - i0)%nat)).
      { rewrite <- sum_minus. apply sum_ext; intros j Hj. unfold moved, g'.
        replace (Datatypes.S k - j)%nat with (Datatypes.S (k - j)) by lia. ring. }
      assert (Mm : m (z H) i = sum (Datatypes.S k) (fun j => omega j * past H i (Datatypes.S k - j)%nat)).
      { destruct (along G alpha beta1 beta2 beta3 eta start update H i) as (_ & E & _). unfold z. rewrite E, HL.
        exact (momentum_filter alpha beta1 beta2 (past H i) (past_0 _ _ _ _ _ _ _ _ _ _) (Datatypes.S k)). }
      assert (Ns : sum (Datatypes.S k) (fun j => omega (k - j)%nat * noise H i (Datatypes.S j))
                   = m (z H) i - Adaptor.m beta1 beta2 g' (fun _ => alpha) (Datatypes.S k)).
      { rewrite Mm, (momentum_filter alpha beta1 beta2 g' g0). fold omega. rewrite <- sum_minus, sum_reverse.
        apply sum_ext; intros j Hj. replace (Datatypes.S k - 1 - j)%nat with (k - j)%nat by lia.
        replace (k - (k - j))%nat with j by lia. replace (Datatypes.S (k - j)) with (Datatypes.S k - j)%nat by lia.
        unfold noise, g'. ring. }
      change (error H i) with (m (z H) i - D (theta (z H')) i). rewrite Ns, Mv. lra.
    Qed.

    Let q k := expect outs w k [] (fun H => sq n (drift H)).

    Lemma moved_square k j : (j < k)%nat ->
      expect outs w (Datatypes.S k) [] (fun H => sq n (moved H (k - j)%nat)) = q (k - j)%nat.
    Proof.
      intros Hj. pose proof (proj1 Un) as Pw. destruct (k - j)%nat as [|d] eqn:Ed; [lia|].
      rewrite (expect_ext_at outs w Pw (Datatypes.S k) _ (fun H => sq n (drift (skipn (Datatypes.S j) H)))).
      - replace (Datatypes.S k) with (Datatypes.S j + Datatypes.S d)%nat by lia.
        apply (expect_earlier outs w Pw (Datatypes.S j) (Datatypes.S d) [] (fun H => sq n (drift H))).
      - intros H HL. apply sq_ext; intros i _. unfold moved, prefix. rewrite HL.
        replace (Datatypes.S k - Datatypes.S (Datatypes.S d))%nat with j by lia.
        replace (Datatypes.S k - Datatypes.S d)%nat with (Datatypes.S j) by lia.
        destruct (skipn_split j H ltac:(simpl in *; lia)) as [x E1]. rewrite E1.
        assert (LL : length (skipn (Datatypes.S j) H) = Datatypes.S d) by (rewrite skipn_length; lia).
        destruct (skipn (Datatypes.S j) H); [discriminate|reflexivity].
    Qed.

    Theorem tracking_by_filter : tracked (2 * (K * K)) (2 * tau2) (2 * omega2).
    Proof.
      pose proof (proj1 Un) as Pw. intros T.
      assert (K0 : 0 <= K) by exact (K_is 0).
      assert (V0 : 0 <= variance).
      { destruct (proj2 Un []) as [_ V]. eapply Rle_trans; [|exact V].
        rewrite <- (next_const outs w Pw [] 0). apply (next_le outs w Pw). intros. apply sq_nonneg. }
      assert (q0 : forall k, 0 <= q k).
      { intros k. rewrite <- (expect_const outs w Pw k [] 0). apply (expect_le outs w Pw). intros. apply sq_nonneg. }
      assert (One : forall k, expect outs w (Datatypes.S k) [] (fun H => sq n (error H))
        <= 2 * (t k * t k * sq n (D start) + omega2 * variance) + 2 * K * sum k (fun j => Rabs (t j) * q (k - j)%nat)).
      { intros k. set (X := fun H i => - t k * D start i + sum (Datatypes.S k) (fun j => omega (k - j)%nat * noise H i (Datatypes.S j))).
        apply Rle_trans with (expect outs w (Datatypes.S k) [] (fun H => 2 * sq n (X H)
          + 2 * K * sum k (fun j => Rabs (t j) * sq n (moved H (k - j)%nat)))).
        - apply (expect_le_at outs w Pw). intros H HL.
          set (Y := fun i => sum k (fun j => t j * moved H (k - j)%nat i)).
          assert (SY : sq n Y <= K * sum k (fun j => Rabs (t j) * sq n (moved H (k - j)%nat))).
          { unfold sq at 1. apply Rle_trans with (sum n (fun i => K * sum k (fun j => Rabs (t j) * (moved H (k - j)%nat i * moved H (k - j)%nat i)))).
            - apply sum_le; intros i _. unfold Y. eapply Rle_trans; [apply weighted_square|]. apply Rmult_le_compat_r; [|apply K_is].
              apply sum_nonneg; intros. apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg].
            - rewrite sum_scal. apply Rmult_le_compat_l; [exact K0|]. rewrite sum_exchange. apply Req_le, sum_ext; intros j _.
              rewrite sum_scal. reflexivity. }
          assert (Tw : sq n (error H) <= 2 * sq n (X H) + 2 * sq n Y).
          { unfold sq. rewrite <- !sum_scal, <- sum_plus. apply sum_le; intros i _. rewrite (error_is H i k HL).
            fold (X H i). fold (Y i). pose proof (square_nonneg (X H i + Y i)). lra. }
          lra.
        - rewrite (expect_plus outs w), !(expect_scal outs w), (expect_sum outs w Pw). apply Rplus_le_compat.
          + apply Rmult_le_compat_l; [lra|].
            pose proof (noise_square (fun i => - t k * D start i) (fun j => omega (Datatypes.S k - j)%nat) (Datatypes.S k)) as Nz.
            cbv beta in Nz. rewrite sq_scaled in Nz.
            assert (Om : sum (Datatypes.S k) (fun j => omega (Datatypes.S k - Datatypes.S j)%nat * omega (Datatypes.S k - Datatypes.S j)%nat)
                         <= omega2).
            { eapply Rle_trans; [|apply (omega2_is (Datatypes.S k))]. apply Req_le. rewrite sum_reverse.
              apply sum_ext; intros j Hj. replace (Datatypes.S k - Datatypes.S (Datatypes.S k - 1 - j))%nat with j by lia. reflexivity. }
            apply (Rmult_le_compat_r variance) in Om; [|exact V0]. unfold X.
            replace (- t k * - t k) with (t k * t k) in Nz by ring. eapply Rle_trans; [exact Nz|]. lra.
          + apply Req_le. f_equal. apply sum_ext; intros j Hj. rewrite (expect_scal outs w), moved_square by exact Hj. reflexivity. }
      destruct T as [|T]; [pose proof (Rmult_le_pos _ _ (tau2_is 0) (sq_nonneg n (D start))); simpl in *; lra|].
      set (N := Datatypes.S T) in *.
      set (q' := fun j => if Nat.ltb j N then q j else 0).
      assert (q'0 : forall j, 0 <= q' j) by (intros j; unfold q'; destruct (Nat.ltb j N); [apply q0|lra]).
      pose proof (filter_energy N (fun j => Rabs (t j)) q' K K_is q'0) as Fe.
      assert (Fl : sum N (fun j => q' (Datatypes.S j)) = sum N q).
      { unfold N at 2. rewrite sum_first. unfold N at 1. rewrite sum_S.
        assert (q' (Datatypes.S T) = 0) as -> by (unfold q', N; rewrite Nat.ltb_irrefl; reflexivity).
        assert (q 0%nat = 0) as -> by (unfold q; simpl; unfold sq; rewrite (sum_ext n _ (fun _ => 0)) by (intros; ring); apply sum_zero).
        rewrite Rplus_0_r, Rplus_0_l. apply sum_ext; intros j Hj. unfold q', N.
        destruct (Nat.ltb_spec (Datatypes.S j) (Datatypes.S T)); [reflexivity|lia]. }
      rewrite Fl in Fe.
      apply Rle_trans with (sum N (fun k => 2 * sq n (D start) * (t k * t k) + (2 * (omega2 * variance)
        + 2 * K * sum k (fun j => Rabs (t j) * q' (k - j)%nat)))).
      - apply sum_le; intros k Hk. pose proof (One k) as O.
        rewrite (sum_ext k (fun j => Rabs (t j) * q' (k - j)%nat) (fun j => Rabs (t j) * q (k - j)%nat)); [lra|].
        intros j Hj. unfold q'. destruct (Nat.ltb_spec (k - j) N); [reflexivity|lia].
      - rewrite !sum_plus, !sum_scal, sum_const. pose proof (tau2_is N) as Tn. pose proof (sq_nonneg n (D start)).
        apply (Rmult_le_compat_l (2 * sq n (D start))) in Tn; [|lra].
        apply (Rmult_le_compat_l (2 * K)) in Fe; [|lra]. fold q. lra.
    Qed.
  End Filter.
End Tracking.
