(** The adaptor E: the paper's two-buffer form is the one-buffer form; the transport identity; bounds; mean lag.
    Sequences are real; vectors are functions on any index type, so everything holds coordinate by coordinate
    (last section), and every real vector space is a space of such functions. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Proofs Require Import Sums.
Local Open Scope R_scope.

Section Sequences.
  Variables (beta1 beta2 : R) (g : nat -> R).
  Variable alpha : nat -> R.                       (* alpha_k may vary *)

  (** The paper's literal form: g_0 = a_0 = 0. *)
  Fixpoint a (k : nat) : R :=
    match k with O => 0 | S j => beta1 * a j + (1 - beta1) * (g (S j) - g j) end.

  (** The slow average. *)
  Fixpoint h (k : nat) : R :=
    match k with O => 0 | S j => beta1 * h j + (1 - beta1) * g (S j) end.

  Definition u (k : nat) : R := g k + alpha k * a k.
  Definition c (k : nat) : R := - alpha k * (1 - beta1).

  Fixpoint m (k : nat) : R :=
    match k with O => 0 | S j => beta2 * m j + (1 - beta2) * u (S j) end.

  Hypothesis g0 : g 0 = 0.

  (** F1. *)
  Theorem exploration_is_difference k : a (S k) = h (S k) - h k.
  Proof.
    induction k; [simpl; rewrite g0; ring|].
    change (a (S (S k))) with (beta1 * a (S k) + (1 - beta1) * (g (S (S k)) - g (S k))).
    rewrite IHk. simpl. ring.
  Qed.

  Theorem one_buffer k : u (S k) = (1 - c (S k)) * g (S k) + c (S k) * h k.
  Proof. unfold u, c. rewrite exploration_is_difference. simpl. ring. Qed.

  (** F2, alpha varying: the increment form, for every step. *)
  Theorem transport_varying (Hb : 1 - beta2 <> 0) k :
    g (S k) - m (S k)
      = beta2 / (1 - beta2) * (m (S k) - m k) - alpha (S k) * (h (S k) - h k).
  Proof.
    assert (E : g (S k) = u (S k) - alpha (S k) * (h (S k) - h k)).
    { unfold u. rewrite exploration_is_difference. ring. }
    rewrite E. simpl. field. exact Hb.
  Qed.

  (** Summed against any x_k (Abel), alpha varying: Theorem C', step S2. *)
  Theorem abel_varying (Hb : 1 - beta2 <> 0) (x : nat -> R) T :
    let b := beta2 / (1 - beta2) in
    sum T (fun k => (g (S k) - m (S k)) * x (S k))
    = b * (m T * x T + sum T (fun k => m k * (x k - x (S k))))
      - (alpha T * h T * x T
         + sum T (fun k => alpha (S k) * h k * (x k - x (S k)))
         + sum T (fun k => (alpha k - alpha (S k)) * h k * x k)).
  Proof.
    intros b. induction T as [|T IH]; [simpl; ring|].
    rewrite !sum_S, IH, transport_varying by exact Hb. fold b. ring.
  Qed.
End Sequences.

Section Constant.
  Variables (alpha beta1 beta2 : R) (g : nat -> R).
  Hypothesis g0 : g 0 = 0.
  Hypothesis Hb : 1 - beta2 <> 0.
  Let b := beta2 / (1 - beta2).
  Let M := m beta1 beta2 g (fun _ => alpha).
  Let H := h beta1 g.

  Definition lag (k : nat) : R := beta2 / (1 - beta2) * m beta1 beta2 g (fun _ => alpha) k - alpha * h beta1 g k.

  (** F2. *)
  Theorem transport k : g (S k) - M (S k) = lag (S k) - lag k.
  Proof. unfold lag, M. rewrite transport_varying; auto. ring. Qed.

  (** F4: the virtual iterate of ESGD does plain gradient steps. *)
  Variables (eta : R) (theta : nat -> R).
  Hypothesis step : forall k, theta (S k) = theta k - eta * M (S k).
  Theorem virtual_iterate k :
    theta (S k) - eta * lag (S k) = (theta k - eta * lag k) - eta * g (S k).
  Proof. rewrite step. pose proof (transport k). nra. Qed.
End Constant.

(** Lemma 3, with the exact factors. *)
Section Boundedness.
  Variables (alpha : nat -> R) (beta1 beta2 beta3 G : R) (g : nat -> R).
  Hypotheses (g0 : g 0 = 0) (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (B3 : 0 <= beta3 < 1).
  Hypothesis Gg : forall k, Rabs (g k) <= G.
  Variable kappa : R.
  Let cc := c beta1 alpha.
  Hypothesis Hkappa : forall k, Rabs (1 - cc k) + Rabs (cc k) <= kappa.
  Let H := h beta1 g.
  Let U := u beta1 g alpha.
  Let M := m beta1 beta2 g alpha.

  Lemma G_nonneg : 0 <= G.
  Proof. pose proof (Gg 0). pose proof (Rabs_pos (g 0)). lra. Qed.

  Theorem h_bounded k : Rabs (H k) <= (1 - beta1 ^ k) * G.
  Proof.
    induction k; [simpl; rewrite Rabs_R0; lra|].
    unfold H in *; simpl.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult.
    rewrite (Rabs_right beta1), (Rabs_right (1 - beta1)) by lra.
    pose proof (Gg (S k)). pose proof G_nonneg.
    assert (beta1 * Rabs (h beta1 g k) <= beta1 * ((1 - beta1 ^ k) * G)) by (apply Rmult_le_compat_l; lra).
    assert ((1 - beta1) * Rabs (g (S k)) <= (1 - beta1) * G) by (apply Rmult_le_compat_l; lra).
    lra.
  Qed.

  Lemma h_le_G k : Rabs (H k) <= G.
  Proof.
    eapply Rle_trans; [apply h_bounded|].
    assert (0 <= beta1 ^ k) by (apply pow_le; lra). pose proof G_nonneg. nra.
  Qed.

  Theorem u_bounded k : Rabs (U (S k)) <= kappa * G.
  Proof.
    unfold U. rewrite one_buffer by exact g0. fold (cc (S k)).
    eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult.
    pose proof (Gg (S k)). pose proof (h_le_G k). pose proof (Hkappa (S k)). pose proof G_nonneg.
    pose proof (Rabs_pos (1 - cc (S k))). pose proof (Rabs_pos (cc (S k))). fold H. nra.
  Qed.

  Theorem m_bounded k : Rabs (M k) <= (1 - beta2 ^ k) * (kappa * G).
  Proof.
    induction k; [simpl; rewrite Rabs_R0; lra|].
    unfold M in *; simpl.
    eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult.
    rewrite (Rabs_right beta2), (Rabs_right (1 - beta2)) by lra.
    pose proof (u_bounded k). unfold U in *.
    assert (beta2 * Rabs (m beta1 beta2 g alpha k) <= beta2 * ((1 - beta2 ^ k) * (kappa * G)))
      by (apply Rmult_le_compat_l; lra).
    assert ((1 - beta2) * Rabs (u beta1 g alpha (S k)) <= (1 - beta2) * (kappa * G))
      by (apply Rmult_le_compat_l; lra).
    lra.
  Qed.

  Fixpoint v (k : nat) : R :=
    match k with O => 0 | S j => beta3 * v j + (1 - beta3) * (U (S j))² end.

  Theorem v_bounded k : 0 <= v k <= (1 - beta3 ^ k) * (kappa * G)².
  Proof.
    induction k; [simpl; lra|]. simpl.
    assert (0 <= (U (S k))²) by apply Rle_0_sqr.
    assert ((U (S k))² <= (kappa * G)²).
    { rewrite (Rsqr_abs (U (S k))). apply Rsqr_incr_1; [apply u_bounded|apply Rabs_pos|].
      eapply Rle_trans; [apply Rabs_pos|apply (u_bounded k)]. }
    assert (0 <= (1 - beta3) * (U (S k))² <= (1 - beta3) * (kappa * G)²)
      by (split; [apply Rmult_le_pos; lra|apply Rmult_le_compat_l; lra]).
    assert (0 <= beta3 * v k <= beta3 * ((1 - beta3 ^ k) * (kappa * G)²))
      by (split; [apply Rmult_le_pos; lra|apply Rmult_le_compat_l; lra]).
    lra.
  Qed.

  (** Lemma 10: one step of m against v; A_k as in the notes. *)
  Hypothesis B3' : 0 < beta3.
  Fixpoint A (k : nat) : R :=
    match k with O => 0 | S j => beta2 ^ 2 / beta3 * A j + (1 - beta2) ^ 2 / (1 - beta3) end.

  Lemma A_nonneg k : 0 <= A k.
  Proof.
    induction k; simpl; [lra|].
    assert (0 <= beta2 * (beta2 * 1) / beta3 * A k)
      by (apply Rmult_le_pos; [apply Rmult_le_pos; [nra|left; apply Rinv_0_lt_compat; lra]|exact IHk]).
    assert (0 <= (1 - beta2) * ((1 - beta2) * 1) / (1 - beta3))
      by (apply Rmult_le_pos; [nra|left; apply Rinv_0_lt_compat; lra]).
    lra.
  Qed.

  Lemma cauchy2 p r x y : 0 <= p -> 0 < r -> (p > 0 \/ x = 0) ->
    forall X, x * x <= p * X -> 0 <= X -> (x + y) * (x + y) <= (p + r) * (X + y * y / r).
  Proof.
    intros Hp Hr Hx X HX HX0.
    assert (Hy : (p + r) * (X + y * y / r) = p * X + r * X + p * (y * y) / r + y * y) by (field; lra).
    rewrite Hy.
    assert (K : 2 * x * y <= r * X + p * (y * y) / r).
    { destruct (Req_dec p 0) as [->|np].
      - assert (x = 0) by (destruct Hx; [lra|assumption]). subst x.
        assert (0 <= r * X) by nra. unfold Rdiv. rewrite Rmult_0_l, Rmult_0_l. lra.
      - assert (0 < p) by lra.
        assert (r * (x * x / p) <= r * X).
        { apply Rmult_le_compat_l; [lra|]. apply Rmult_le_reg_l with p; [lra|]. field_simplify; lra. }
        assert (E : r * (x * x / p) + p * (y * y) / r - 2 * x * y = (r * x - p * y) * (r * x - p * y) / (p * r))
          by (field; lra).
        assert (0 <= (r * x - p * y) * (r * x - p * y) / (p * r)).
        { apply Rmult_le_pos; [apply Rle_0_sqr|]. left; apply Rinv_0_lt_compat; nra. }
        lra. }
    lra.
  Qed.

  Theorem lemma_10 k : (M k)² <= A k * v k.
  Proof.
    induction k; [unfold M; simpl; unfold Rsqr; lra|].
    unfold Rsqr in *. pose proof (v_bounded k) as [Hv _]. pose proof (A_nonneg k) as HA.
    assert (Hr : 0 < (1 - beta2) ^ 2 / (1 - beta3))
      by (apply Rmult_lt_0_compat; [apply pow_lt; lra|apply Rinv_0_lt_compat; lra]).
    assert (Hp : 0 <= beta2 ^ 2 / beta3 * A k).
    { apply Rmult_le_pos; [|exact HA]. apply Rmult_le_pos; [apply pow_le; lra|left; apply Rinv_0_lt_compat; lra]. }
    assert (HX : (beta2 * M k) * (beta2 * M k) <= (beta2 ^ 2 / beta3 * A k) * (beta3 * v k)).
    { replace (beta2 ^ 2 / beta3 * A k * (beta3 * v k)) with (beta2 ^ 2 * (A k * v k)) by (field; lra).
      replace (beta2 * M k * (beta2 * M k)) with (beta2 ^ 2 * (M k * M k)) by ring.
      apply Rmult_le_compat_l; [apply pow_le; lra|exact IHk]. }
    assert (Hx : beta2 ^ 2 / beta3 * A k > 0 \/ beta2 * M k = 0).
    { destruct (Rle_lt_or_eq_dec _ _ Hp) as [L|L]; [left; lra|right].
      rewrite <- L in HX. rewrite Rmult_0_l in HX.
      assert (beta2 * M k * (beta2 * M k) = 0) by (pose proof (Rle_0_sqr (beta2 * M k)); unfold Rsqr in *; lra).
      apply Rsqr_0_uniq; unfold Rsqr; assumption. }
    pose proof (cauchy2 _ _ (beta2 * M k) ((1 - beta2) * U (S k)) Hp Hr Hx (beta3 * v k) HX) as K.
    assert (0 <= beta3 * v k) by nra. specialize (K H0).
    replace (M (S k)) with (beta2 * M k + (1 - beta2) * U (S k)) by reflexivity.
    eapply Rle_trans; [exact K|]. apply Req_le. simpl. unfold Rsqr. field. lra.
  Qed.
End Boundedness.

(** The average as weights, their sum and their mean lag; and the lag that E adds: exactly -alpha. *)
Section Lag.
  Variable beta1 : R.
  Hypothesis B1 : 0 <= beta1 < 1.

  Theorem average_weights (g : nat -> R) k :
    h beta1 g k = sum k (fun j => (1 - beta1) * beta1 ^ (k - 1 - j) * g (S j)).
  Proof.
    induction k; [reflexivity|]. rewrite sum_S. simpl h. rewrite IHk, <- sum_scal.
    replace (S k - 1 - k)%nat with 0%nat by lia. rewrite pow_O.
    f_equal; [|ring]. apply sum_ext; intros i Hi.
    replace (S k - 1 - i)%nat with (S (k - 1 - i)) by lia. simpl. ring.
  Qed.

  Theorem weights_sum k : h beta1 (fun j => if j then 0 else 1) k = 1 - beta1 ^ k.
  Proof. induction k; simpl; [ring|]. rewrite IHk; ring. Qed.

  (** Mean lag of the average after k steps: beta/(1-beta), less what is not there yet. *)
  Theorem mean_lag k :
    sum k (fun j => INR j * ((1 - beta1) * beta1 ^ j))
    = beta1 / (1 - beta1) * (1 - beta1 ^ k) - INR k * beta1 ^ k.
  Proof.
    induction k; [simpl; field; lra|]. rewrite sum_S, IHk, S_INR. simpl. field. lra.
  Qed.
End Lag.

Section SignedAge.
  (** t_i = sum_{j>i} w_j, so sum_i t_i is the mean lag of the filter. With g = 1, 1, ... the transport
      identity sums to T_k = sum_{i<k} t_i: the total lag, exact at each k and b - alpha in the limit. *)
  Variables (alpha beta1 beta2 : R).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1).
  Let one := fun j : nat => if j then 0 else 1.
  Let M := m beta1 beta2 one (fun _ => alpha).
  Let L := lag alpha beta1 beta2 one.

  Theorem total_lag k : sum k (fun j => 1 - M (S j)) = L k.
  Proof.
    assert (E : sum k (fun j => 1 - M (S j)) = sum k (fun j => L (S j) - L j)).
    { apply sum_ext; intros j _. change 1 with (one (S j)). apply transport; [reflexivity|lra]. }
    rewrite E, sum_telescope. unfold L at 2, lag. simpl. ring.
  Qed.

  (** In the limit the total lag is b - alpha: alpha is minus the mean lag that E adds, in steps. *)
  Let q := (1 + Rmax beta1 beta2) / 2.
  Let B := Rabs alpha * (1 - beta1).
  Let C := 1 + B / (q - beta2).

  Lemma q_bounds : beta1 < q /\ beta2 < q /\ 0 < q < 1.
  Proof. unfold q. pose proof (Rmax_l beta1 beta2). pose proof (Rmax_r beta1 beta2).
         assert (Rmax beta1 beta2 < 1) by (apply Rmax_lub_lt; lra). lra. Qed.

  Lemma slow_one k : h beta1 one k = 1 - beta1 ^ k.
  Proof. apply weights_sum. Qed.

  Lemma momentum_one k : Rabs (1 - M k) <= C * q ^ k.
  Proof.
    destruct q_bounds as (Q1 & Q2 & Q3).
    assert (HB : 0 <= B) by (apply Rmult_le_pos; [apply Rabs_pos|lra]).
    assert (HC : C * (q - beta2) = (q - beta2) + B) by (unfold C; field; lra).
    assert (HC1 : 1 <= C).
    { unfold C. assert (0 <= B / (q - beta2)) by (apply Rmult_le_pos; [exact HB|left; apply Rinv_0_lt_compat; lra]). lra. }
    induction k as [|k IH]; [unfold M; simpl; rewrite Rminus_0_r, Rabs_R1; lra|].
    change (M (S k)) with (beta2 * M k + (1 - beta2) * u beta1 one (fun _ => alpha) (S k)).
    unfold u. rewrite exploration_is_difference by reflexivity. rewrite !slow_one. change (one (S k)) with 1.
    replace (1 - (beta2 * M k + (1 - beta2) * (1 + alpha * (1 - beta1 ^ S k - (1 - beta1 ^ k)))))
      with (beta2 * (1 - M k) + - ((1 - beta2) * (alpha * ((1 - beta1) * beta1 ^ k)))) by (simpl; ring).
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp, !Rabs_mult.
    rewrite (Rabs_right beta2), (Rabs_right (1 - beta2)), (Rabs_right (1 - beta1)) by lra.
    assert (P : 0 <= beta1 ^ k <= q ^ k) by (split; [apply pow_le; lra|apply pow_incr; lra]).
    rewrite (Rabs_right (beta1 ^ k)) by lra.
    assert (0 <= q ^ k) by (apply pow_le; lra).
    assert (X1 : beta2 * Rabs (1 - M k) <= beta2 * (C * q ^ k)) by (apply Rmult_le_compat_l; lra).
    assert (X2 : (1 - beta2) * (Rabs alpha * ((1 - beta1) * beta1 ^ k)) <= B * q ^ k).
    { replace ((1 - beta2) * (Rabs alpha * ((1 - beta1) * beta1 ^ k))) with ((1 - beta2) * (B * beta1 ^ k)) by (unfold B; ring).
      assert (B * beta1 ^ k <= B * q ^ k) by (apply Rmult_le_compat_l; lra).
      assert (0 <= B * beta1 ^ k) by (apply Rmult_le_pos; lra). nra. }
    assert (0 <= (q - beta2) * q ^ k) by (apply Rmult_le_pos; lra).
    replace (C * q ^ S k) with (beta2 * (C * q ^ k) + C * (q - beta2) * q ^ k) by (simpl; ring). rewrite HC. lra.
  Qed.

  Theorem total_lag_limit : Un_cv (fun k => sum k (fun j => 1 - M (S j))) (beta2 / (1 - beta2) - alpha).
  Proof.
    destruct q_bounds as (Q1 & Q2 & Q3).
    assert (HB : 0 <= B) by (apply Rmult_le_pos; [apply Rabs_pos|lra]).
    assert (Hb : 0 <= beta2 / (1 - beta2)) by (apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]).
    assert (HC1 : 1 <= C).
    { unfold C. assert (0 <= B / (q - beta2)) by (apply Rmult_le_pos; [exact HB|left; apply Rinv_0_lt_compat; lra]). lra. }
    intros eps He. set (W := beta2 / (1 - beta2) * C + Rabs alpha + 1).
    assert (HW : 0 < W).
    { unfold W. pose proof (Rabs_pos alpha). assert (0 <= beta2 / (1 - beta2) * C) by (apply Rmult_le_pos; lra). lra. }
    destruct (pow_lt_1_zero q) with (y := eps / W) as [N HN].
    - rewrite Rabs_right; lra.
    - apply Rdiv_lt_0_compat; assumption.
    - exists N. intros k Hk. unfold R_dist. rewrite total_lag. unfold L, lag. fold M. rewrite slow_one.
      specialize (HN k Hk). rewrite Rabs_right in HN by (left; apply pow_lt; lra).
      assert (P : 0 <= beta1 ^ k <= q ^ k) by (split; [apply pow_le; lra|apply pow_incr; lra]).
      replace (beta2 / (1 - beta2) * M k - alpha * (1 - beta1 ^ k) - (beta2 / (1 - beta2) - alpha))
        with (- (beta2 / (1 - beta2) * (1 - M k)) + alpha * beta1 ^ k) by (field; lra).
      eapply Rle_lt_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp, !Rabs_mult.
      rewrite (Rabs_right (beta2 / (1 - beta2))), (Rabs_right (beta1 ^ k)) by lra.
      pose proof (momentum_one k).
      assert (beta2 / (1 - beta2) * Rabs (1 - M k) <= beta2 / (1 - beta2) * (C * q ^ k)) by (apply Rmult_le_compat_l; assumption).
      assert (Rabs alpha * beta1 ^ k <= Rabs alpha * q ^ k) by (apply Rmult_le_compat_l; [apply Rabs_pos|lra]).
      assert (0 < q ^ k) by (apply pow_lt; lra).
      apply Rle_lt_trans with (W * q ^ k); [unfold W; lra|].
      apply Rlt_le_trans with (W * (eps / W)); [apply Rmult_lt_compat_l; assumption|]. apply Req_le. field. lra.
  Qed.
End SignedAge.

(** Vectors: functions on any index type. *)
Section Vectors.
  Context {I : Type}.
  Variables (beta1 : R) (alpha : nat -> R) (g : nat -> I -> R).
  Hypothesis g0 : g 0%nat = fun _ => 0.
  Fixpoint va (k : nat) : I -> R :=
    match k with O => fun _ => 0 | S j => fun i => beta1 * va j i + (1 - beta1) * (g (S j) i - g j i) end.
  Fixpoint vh (k : nat) : I -> R :=
    match k with O => fun _ => 0 | S j => fun i => beta1 * vh j i + (1 - beta1) * g (S j) i end.
  Lemma va_at k i : va k i = a beta1 (fun j => g j i) k.
  Proof. induction k; simpl; [reflexivity|]. rewrite IHk; reflexivity. Qed.
  Lemma vh_at k i : vh k i = h beta1 (fun j => g j i) k.
  Proof. induction k; simpl; [reflexivity|]. rewrite IHk; reflexivity. Qed.
  Theorem one_buffer_vector k :
    (fun i => g (S k) i + alpha (S k) * va (S k) i)
    = (fun i => (1 - - alpha (S k) * (1 - beta1)) * g (S k) i + (- alpha (S k) * (1 - beta1)) * vh k i).
  Proof.
    extensionality i. rewrite va_at, vh_at.
    change (g (S k) i) with ((fun j => g j i) (S k)).
    apply (one_buffer beta1 (fun j => g j i) alpha). rewrite g0; reflexivity.
  Qed.
End Vectors.

(** Lineage: two published rules are E, up to a constant factor of the gradient. *)
Section Lineage.
  Variables (beta1 : R) (g : nat -> R).
  Hypothesis g0 : g 0%nat = 0.

  (** Grokfast-EMA (Lee et al. 2024) with amplification lam, its average started at zero: (1 + lam) times E. *)
  Theorem grokfast lam k : 1 + lam <> 0 -> 1 - beta1 <> 0 ->
    let alpha := fun _ : nat => - (lam * beta1 / ((1 + lam) * (1 - beta1))) in
    g (S k) + lam * h beta1 g (S k) = (1 + lam) * u beta1 g alpha (S k).
  Proof. intros H1 H2 alpha. rewrite one_buffer by exact g0. unfold c, alpha. simpl. field. auto. Qed.

  (** MARS without a second gradient and without clipping (Yuan et al. 2024): E with beta1 = 0. *)
  Theorem mars gamma beta k : 1 - beta <> 0 ->
    g (S k) + gamma * (beta / (1 - beta)) * (g (S k) - g k) = u 0 g (fun _ => gamma * (beta / (1 - beta))) (S k).
  Proof. intros H. unfold u. simpl. ring. Qed.
End Lineage.
