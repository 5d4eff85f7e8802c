(** Lemmas 3, 4 and 10: how large the moments of u can be, how fast the second can change, the first against the second.
    alpha may vary; kappa bounds |1 - c_k| + |c_k|. *)
From Coq Require Import Reals Lra Lia.
From Proofs Require Import Sums Vectors Adaptor.
Local Open Scope R_scope.

Lemma average_bounded b x y r : 0 <= b < 1 -> Rabs x <= r -> Rabs y <= r -> Rabs (b * x + (1 - b) * y) <= r.
Proof.
  intros Hb Hx Hy. eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult, (Rabs_right b), (Rabs_right (1 - b)) by lra.
  assert (b * Rabs x <= b * r) by (apply Rmult_le_compat_l; lra).
  assert ((1 - b) * Rabs y <= (1 - b) * r) by (apply Rmult_le_compat_l; lra). lra.
Qed.

Lemma power_le_1 x k : 0 <= x < 1 -> 0 <= x ^ k <= 1.
Proof. intros. split; [apply pow_le; lra|]. rewrite <- (pow1 k). apply pow_incr; lra. Qed.

Section Bounded.
  Variables (alpha : nat -> R) (beta1 beta2 beta3 kappa G : R) (g : nat -> R).
  Hypotheses (g0 : g 0%nat = 0) (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (B3 : 0 <= beta3 < 1).
  Let cc := c beta1 alpha.
  Hypothesis kappa_is : forall k, Rabs (1 - cc k) + Rabs (cc k) <= kappa.
  Hypothesis bounded : forall k, Rabs (g k) <= G.
  Let H := h beta1 g.
  Let U := u beta1 g alpha.
  Let M := m beta1 beta2 g alpha.
  Let V := v beta1 beta3 g alpha.
  Let KG := kappa * G.

  Lemma G_nonneg : 0 <= G.
  Proof. eapply Rle_trans; [apply Rabs_pos|apply (bounded 0%nat)]. Qed.
  Lemma kappa_nonneg : 0 <= kappa.
  Proof. pose proof (kappa_is 0%nat). pose proof (Rabs_pos (1 - cc 0)). pose proof (Rabs_pos (cc 0)). lra. Qed.
  Lemma KG_nonneg : 0 <= KG.
  Proof. apply Rmult_le_pos; [apply kappa_nonneg|apply G_nonneg]. Qed.

  Lemma h_bounded k : Rabs (H k) <= G.
  Proof.
    induction k; [unfold H; simpl; rewrite Rabs_R0; apply G_nonneg|].
    apply average_bounded; [exact B1|exact IHk|apply bounded].
  Qed.

  Theorem u_bounded k : Rabs (U (S k)) <= KG.
  Proof.
    unfold U. rewrite one_buffer by exact g0. fold (cc (S k)).
    eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult.
    pose proof (bounded (S k)). pose proof (h_bounded k). pose proof (kappa_is (S k)). pose proof G_nonneg.
    pose proof (Rabs_pos (1 - cc (S k))). pose proof (Rabs_pos (cc (S k))). fold H. unfold KG. nra.
  Qed.

  Theorem m_bounded k : Rabs (M k) <= (1 - beta2 ^ k) * KG.
  Proof.
    induction k; [unfold M; simpl; rewrite Rabs_R0; lra|].
    change (M (S k)) with (beta2 * M k + (1 - beta2) * U (S k)).
    eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult.
    rewrite (Rabs_right beta2), (Rabs_right (1 - beta2)) by lra.
    assert (beta2 * Rabs (M k) <= beta2 * ((1 - beta2 ^ k) * KG)) by (apply Rmult_le_compat_l; lra).
    assert ((1 - beta2) * Rabs (U (S k)) <= (1 - beta2) * KG) by (apply Rmult_le_compat_l; [lra|apply u_bounded]).
    simpl. lra.
  Qed.

  Theorem v_bounded k : 0 <= V k <= (1 - beta3 ^ k) * (KG * KG).
  Proof.
    induction k; [unfold V; simpl; lra|].
    change (V (S k)) with (beta3 * V k + (1 - beta3) * (U (S k) * U (S k))).
    pose proof (square_nonneg (U (S k))). pose proof (square_abs_le _ _ (u_bounded k)).
    assert (0 <= (1 - beta3) * (U (S k) * U (S k)) <= (1 - beta3) * (KG * KG))
      by (split; [apply Rmult_le_pos; lra|apply Rmult_le_compat_l; lra]).
    assert (0 <= beta3 * V k <= beta3 * ((1 - beta3 ^ k) * (KG * KG)))
      by (split; [apply Rmult_le_pos; lra|apply Rmult_le_compat_l; lra]).
    simpl. lra.
  Qed.

  (** Lemma 3 with the factor kappa. *)
  Theorem lemma_3_exact k : Rabs (U (S k)) <= KG /\ Rabs (M k) <= KG /\ 0 <= V k <= KG * KG.
  Proof.
    pose proof KG_nonneg as P. split; [apply u_bounded|split].
    - eapply Rle_trans; [apply m_bounded|]. pose proof (power_le_1 beta2 k B2). nra.
    - destruct (v_bounded k). split; [assumption|]. pose proof (power_le_1 beta3 k B3). nra.
  Qed.

  Lemma root_bounded k : 0 <= sqrt (V k) <= KG.
  Proof.
    split; [apply sqrt_pos|]. rewrite <- (sqrt_square KG) by apply KG_nonneg. apply sqrt_le_1_alt.
    destruct (v_bounded k). pose proof (power_le_1 beta3 k B3). pose proof KG_nonneg. nra.
  Qed.

  (** *** Lemma 4 *)
  Section Change.
    Variable eps1 : R.
    Hypothesis E1 : 0 < eps1.
    Let W k := sqrt (V k) + eps1.

    Theorem lemma_4 k : Rabs (W (S k) - W k) <= sqrt (1 - beta3) * KG.
    Proof.
      pose proof (u_bounded k) as Hu. pose proof (v_bounded k) as [Hv0 _]. pose proof (root_bounded k) as [R0 R1].
      set (x := U (S k)) in *. set (a := sqrt (V k)) in *. set (s := sqrt (1 - beta3)).
      assert (Ha : a * a = V k) by (apply sqrt_sqrt; exact Hv0).
      assert (Hs : s * s = 1 - beta3) by (apply sqrt_sqrt; lra).
      assert (Hs0 : 0 <= s) by apply sqrt_pos.
      assert (Hv : V (S k) = beta3 * V k + (1 - beta3) * (x * x)) by reflexivity.
      assert (P : 0 <= KG) by lra.
      pose proof (square_abs_le _ _ Hu) as Hx.
      assert (Hs1 : s <= 1) by nra.
      assert (Up : sqrt (V (S k)) <= a + s * KG).
      { rewrite <- (sqrt_square (a + s * KG)) by nra. apply sqrt_le_1_alt. rewrite Hv, <- Ha, <- Hs.
        assert (0 <= s * s * (a * a)) by nra.
        assert (s * s * (x * x) <= s * s * (KG * KG)) by (apply Rmult_le_compat_l; nra).
        assert (0 <= a * (s * KG)) by (apply Rmult_le_pos; nra). nra. }
      assert (Down : a - s * KG <= sqrt (V (S k))).
      { destruct (Rle_lt_dec (a - s * KG) 0) as [Neg|Pos].
        - pose proof (sqrt_pos (V (S k))). lra.
        - rewrite <- (sqrt_square (a - s * KG)) by lra. apply sqrt_le_1_alt. rewrite Hv, <- Ha.
          assert (0 <= (1 - beta3) * (x * x)) by (apply Rmult_le_pos; [lra|apply square_nonneg]).
          assert (Sa : s * a <= s * KG) by (apply Rmult_le_compat_l; lra).
          assert (Q : (a - s * KG) * (a - s * KG) <= (a - s * a) * (a - s * a)) by (apply Rmult_le_compat; lra).
          assert ((1 - s) * (1 - s) <= beta3) by nra.
          assert (0 <= a * a) by nra. nra. }
      unfold W. fold a. apply Rabs_le. lra.
    Qed.

    Theorem lemma_4_relative k : Rabs (W (S k) / W k - 1) <= sqrt (1 - beta3) * KG / eps1.
    Proof.
      pose proof (lemma_4 k) as D. pose proof (root_bounded k) as [R0 R1].
      assert (HW : eps1 <= W k) by (unfold W; lra).
      replace (W (S k) / W k - 1) with ((W (S k) - W k) / W k) by (field; lra).
      unfold Rdiv. rewrite Rabs_mult, (Rabs_right (/ W k)) by (left; apply Rinv_0_lt_compat; lra).
      apply Rmult_le_compat; [apply Rabs_pos|apply inverse_nonneg; lra|exact D|].
      apply Rinv_le_contravar; assumption.
    Qed.

    Corollary W_grows_slowly k : W (S k) <= (1 + sqrt (1 - beta3) * KG / eps1) * W k.
    Proof.
      pose proof (lemma_4_relative k) as D. pose proof (root_bounded k) as [R0 R1].
      assert (HW : 0 < W k) by (unfold W; lra). pose proof (Rle_abs (W (S k) / W k - 1)) as A.
      apply Rmult_le_reg_r with (/ W k); [apply Rinv_0_lt_compat; exact HW|].
      rewrite Rmult_assoc, Rinv_r by lra. unfold Rdiv in *. lra.
    Qed.
  End Change.
End Bounded.

(** *** Lemma 10: no bound of the gradients is needed *)
Section Ratio.
  Variables (alpha : nat -> R) (beta1 beta2 beta3 : R) (g : nat -> R).
  Hypotheses (B2 : 0 <= beta2 < 1) (B3 : 0 < beta3 < 1).
  Let U := u beta1 g alpha.
  Let M := m beta1 beta2 g alpha.
  Let V := v beta1 beta3 g alpha.

  Lemma v_nonneg k : 0 <= V k.
  Proof.
    induction k as [|k IH]; [unfold V; simpl; lra|].
    change (V (S k)) with (beta3 * V k + (1 - beta3) * (U (S k) * U (S k))). pose proof (square_nonneg (U (S k))).
    apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra.
  Qed.

  Fixpoint A (k : nat) : R :=
    match k with O => 0 | S j => beta2 ^ 2 / beta3 * A j + (1 - beta2) ^ 2 / (1 - beta3) end.

  Lemma A_nonneg k : 0 <= A k.
  Proof.
    induction k; simpl; [lra|]. pose proof (inverse_nonneg beta3 ltac:(lra)). pose proof (inverse_nonneg (1 - beta3) ltac:(lra)).
    assert (0 <= beta2 * (beta2 * 1) / beta3 * A k) by (repeat apply Rmult_le_pos; lra).
    assert (0 <= (1 - beta2) * ((1 - beta2) * 1) / (1 - beta3)) by (repeat apply Rmult_le_pos; lra).
    lra.
  Qed.

  (** (x + y)^2 <= (p + r)(x^2 / p + y^2 / r), also for p = 0. *)
  Lemma cauchy2 p r x y X : 0 <= p -> 0 < r -> (p > 0 \/ x = 0) -> x * x <= p * X -> 0 <= X ->
    (x + y) * (x + y) <= (p + r) * (X + y * y / r).
  Proof.
    intros Hp Hr Hx HX HX0.
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
        { apply Rmult_le_pos; [apply square_nonneg|]. apply inverse_nonneg. nra. }
        lra. }
    lra.
  Qed.

  Theorem lemma_10 k : M k * M k <= A k * V k.
  Proof.
    induction k; [unfold M; simpl; lra|].
    pose proof (v_nonneg k) as Hv. pose proof (A_nonneg k) as HA.
    assert (Hr : 0 < (1 - beta2) ^ 2 / (1 - beta3))
      by (apply Rmult_lt_0_compat; [apply pow_lt; lra|apply Rinv_0_lt_compat; lra]).
    assert (Hp : 0 <= beta2 ^ 2 / beta3 * A k).
    { apply Rmult_le_pos; [|exact HA]. apply Rmult_le_pos; [apply pow_le; lra|apply inverse_nonneg; lra]. }
    assert (HX : (beta2 * M k) * (beta2 * M k) <= (beta2 ^ 2 / beta3 * A k) * (beta3 * V k)).
    { replace (beta2 ^ 2 / beta3 * A k * (beta3 * V k)) with (beta2 ^ 2 * (A k * V k)) by (field; lra).
      replace (beta2 * M k * (beta2 * M k)) with (beta2 ^ 2 * (M k * M k)) by ring.
      apply Rmult_le_compat_l; [apply pow_le; lra|exact IHk]. }
    assert (Hx : beta2 ^ 2 / beta3 * A k > 0 \/ beta2 * M k = 0).
    { destruct (Rle_lt_or_eq_dec _ _ Hp) as [L|L]; [left; lra|right].
      rewrite <- L in HX. rewrite Rmult_0_l in HX.
      assert (beta2 * M k * (beta2 * M k) = 0) by (pose proof (square_nonneg (beta2 * M k)); lra).
      apply Rsqr_0_uniq; unfold Rsqr; assumption. }
    assert (HV : 0 <= beta3 * V k) by nra.
    pose proof (cauchy2 _ _ (beta2 * M k) ((1 - beta2) * U (S k)) _ Hp Hr Hx HX HV) as K.
    replace (M (S k)) with (beta2 * M k + (1 - beta2) * U (S k)) by reflexivity.
    eapply Rle_trans; [exact K|]. apply Req_le.
    change (A (S k)) with (beta2 ^ 2 / beta3 * A k + (1 - beta2) ^ 2 / (1 - beta3)).
    change (V (S k)) with (beta3 * V k + (1 - beta3) * (U (S k) * U (S k))). field. lra.
  Qed.

  (** With beta2^2 < beta3 a constant does for all k, and bias correction changes nothing. *)
  Definition zeta_square : R := (1 - beta2) ^ 2 / ((1 - beta3) * (1 - beta2 ^ 2 / beta3)).

  Section Constant.
    Hypothesis ratio : beta2 ^ 2 / beta3 < 1.
    Let q := beta2 ^ 2 / beta3.

    Lemma q_nonneg : 0 <= q.
    Proof. apply Rmult_le_pos; [apply pow_le; lra|apply inverse_nonneg; lra]. Qed.

    Lemma zeta_nonneg : 0 <= zeta_square.
    Proof.
      unfold zeta_square. apply Rmult_le_pos; [apply pow_le; lra|apply inverse_nonneg].
      apply Rmult_lt_0_compat; unfold q in *; lra.
    Qed.

    Lemma A_closed k : A k = zeta_square * (1 - q ^ k).
    Proof.
      induction k as [|k IH]; [simpl; ring|].
      change (A (S k)) with (q * A k + (1 - beta2) ^ 2 / (1 - beta3)). rewrite IH. unfold zeta_square. fold q.
      simpl (q ^ S k). field. unfold q in *. split; lra.
    Qed.

    Theorem lemma_10_constant k : Rabs (M k) <= sqrt zeta_square * sqrt (V k).
    Proof.
      rewrite <- (sqrt_Rsqr_abs (M k)), <- sqrt_mult_alt by apply zeta_nonneg.
      apply sqrt_le_1_alt. eapply Rle_trans; [apply lemma_10|]. rewrite A_closed.
      apply Rmult_le_compat_r; [apply v_nonneg|]. pose proof zeta_nonneg.
      assert (0 <= q ^ k) by (apply pow_le, q_nonneg). nra.
    Qed.

    (** (1 - s^2)(1 - t^2) <= (1 - s t)^2 with s^2 = beta3^k, t^2 = q^k and s t = beta2^k. *)
    Theorem lemma_10_corrected k : let j := S k in
      Rabs (M j / (1 - beta2 ^ j)) <= sqrt zeta_square * sqrt (V j / (1 - beta3 ^ j)).
    Proof.
      intros j. pose proof (v_nonneg j) as Hv. pose proof q_nonneg as Hq0. pose proof zeta_nonneg as HZ.
      assert (P2 : 0 <= beta2 ^ j < 1) by (split; [apply pow_le; lra|apply pow_lt_1_compat; [lra|unfold j; lia]]).
      assert (P3 : 0 <= beta3 ^ j < 1) by (split; [apply pow_le; lra|apply pow_lt_1_compat; [lra|unfold j; lia]]).
      assert (Pq : 0 <= q ^ j) by (apply pow_le; lra).
      assert (E : beta3 ^ j * q ^ j = beta2 ^ j * beta2 ^ j).
      { rewrite <- !Rpow_mult_distr. f_equal. unfold q. field. lra. }
      assert (K : (1 - beta3 ^ j) * (1 - q ^ j) <= (1 - beta2 ^ j) * (1 - beta2 ^ j)).
      { assert (2 * beta2 ^ j <= beta3 ^ j + q ^ j); [|nra].
        apply square_le; [lra|]. pose proof (square_nonneg (beta3 ^ j - q ^ j)). nra. }
      rewrite <- (sqrt_Rsqr_abs (M j / _)), <- sqrt_mult_alt by exact HZ. apply sqrt_le_1_alt. unfold Rsqr.
      replace (M j / (1 - beta2 ^ j) * (M j / (1 - beta2 ^ j)))
        with (M j * M j * / ((1 - beta2 ^ j) * (1 - beta2 ^ j))) by (field; lra).
      replace (zeta_square * (V j / (1 - beta3 ^ j)))
        with (zeta_square * V j * (1 - beta2 ^ j) * (1 - beta2 ^ j) / (1 - beta3 ^ j)
              * / ((1 - beta2 ^ j) * (1 - beta2 ^ j))) by (field; lra).
      apply Rmult_le_compat_r; [apply inverse_nonneg; nra|].
      eapply Rle_trans; [apply lemma_10|]. rewrite A_closed.
      apply Rmult_le_reg_r with (1 - beta3 ^ j); [lra|].
      replace (zeta_square * V j * (1 - beta2 ^ j) * (1 - beta2 ^ j) / (1 - beta3 ^ j) * (1 - beta3 ^ j))
        with (zeta_square * V j * ((1 - beta2 ^ j) * (1 - beta2 ^ j))) by (field; lra).
      replace (zeta_square * (1 - q ^ j) * V j * (1 - beta3 ^ j))
        with (zeta_square * V j * ((1 - beta3 ^ j) * (1 - q ^ j))) by ring.
      apply Rmult_le_compat_l; [apply Rmult_le_pos; assumption|exact K].
    Qed.
  End Constant.
End Ratio.

(** Lemma 3: as the paper has it, for constant alpha inside the region and with a factor of 16; and with kappa < 3. *)
Theorem lemma_3 alpha beta1 beta2 beta3 (g : nat -> R) G :
  let c := - alpha * (1 - beta1) in let kappa := Rabs (1 - c) + Rabs c in
  let below r := forall k, Rabs (u beta1 g (fun _ => alpha) (S k)) <= r /\ Rabs (m beta1 beta2 g (fun _ => alpha) k) <= r
    /\ 0 <= v beta1 beta3 g (fun _ => alpha) k <= r * r in
  g 0%nat = 0 -> 0 <= beta1 < 1 -> 0 <= beta2 < 1 -> 0 <= beta3 < 1 -> Rabs c < 1 ->
  kappa < 3 /\ ((forall j, Rabs (g j) <= G) -> below (kappa * G)) /\ ((forall j, Rabs (g j) <= G / 16) -> below G).
Proof.
  intros c kappa below g0 B1 B2 B3 Hc.
  assert (K3 : kappa < 3).
  { unfold kappa. pose proof (Rabs_triang 1 (- c)) as Tri. rewrite Rabs_Ropp, Rabs_R1 in Tri.
    change (1 - c) with (1 + - c). lra. }
  assert (K : forall j, Rabs (1 - Adaptor.c beta1 (fun _ => alpha) j) + Rabs (Adaptor.c beta1 (fun _ => alpha) j) <= kappa)
    by (intros; unfold Adaptor.c, kappa, c; lra).
  split; [exact K3|split]; intros HG k.
  - apply (lemma_3_exact (fun _ => alpha) beta1 beta2 beta3 kappa G g g0 B1 B2 B3 K HG k).
  - pose proof (G_nonneg (G / 16) g HG) as G0. pose proof (kappa_nonneg (fun _ => alpha) beta1 kappa K) as K0.
    destruct (lemma_3_exact (fun _ => alpha) beta1 beta2 beta3 kappa (G / 16) g g0 B1 B2 B3 K HG k) as (Hu & Hm & Hv0 & Hv).
    assert (P : 0 <= kappa * (G / 16) <= G) by nra.
    repeat split; try lra. eapply Rle_trans; [exact Hv|]. apply Rmult_le_compat; lra.
Qed.
