(** The paper's lemmas and E's identities that need no probability, from the sequences of Adaptor. *)
From Coq Require Import Reals Lra Lia.
From Proofs Require Import Sums Adaptor TheoremN.
Local Open Scope R_scope.

(** *** The slow average *)
Theorem slow_average (alpha : nat -> R) beta1 (g : nat -> R) k : g 0%nat = 0 ->
  let c_k := - alpha (S k) * (1 - beta1) in
  a beta1 g (S k) = h beta1 g (S k) - h beta1 g k
  /\ a beta1 g (S k) = (1 - beta1) * (g (S k) - h beta1 g k)
  /\ u beta1 g alpha (S k) = (1 - c_k) * g (S k) + c_k * h beta1 g k.
Proof.
  intros g0 c_k. rewrite exploration_is_difference by exact g0. split; [reflexivity|split].
  - simpl. ring.
  - apply one_buffer. exact g0.
Qed.

(** *** E as a known filter *)
Section Filters.
  Variables (alpha beta1 beta2 : R) (g : nat -> R).
  Hypothesis g0 : g 0%nat = 0.
  Let constant := fun _ : nat => alpha.
  Let c0 := - alpha * (1 - beta1).

  (** Quasi-hyperbolic momentum: nu = c / beta1. *)
  Theorem quasi_hyperbolic k : beta1 <> 0 ->
    u beta1 g constant (S k) = (1 - c0 / beta1) * g (S k) + c0 / beta1 * h beta1 g (S k).
  Proof. intros Hb. rewrite one_buffer by exact g0. unfold c, constant, c0. simpl. field. exact Hb. Qed.

  (** The momentum of u is a mixture of two averages of the gradient. *)
  Theorem two_averages k : beta1 <> beta2 ->
    let w := c0 * (1 - beta2) / (beta1 - beta2) in
    m beta1 beta2 g constant k = (1 - w) * h beta2 g k + w * h beta1 g k.
  Proof.
    intros Hb w. assert (Hd : beta1 - beta2 <> 0) by lra.
    induction k as [|k IH]; [simpl; ring|].
    change (m beta1 beta2 g constant (S k))
      with (beta2 * m beta1 beta2 g constant k + (1 - beta2) * u beta1 g constant (S k)).
    rewrite one_buffer by exact g0. rewrite IH. unfold c, constant, w, c0. simpl. field. exact Hd.
  Qed.
End Filters.

(** *** A constant gradient: E is ahead of SGD by alpha steps in the end *)
Section HeadStart.
  Variables (alpha beta1 : R).
  Hypothesis B1 : 0 <= beta1 < 1.
  Let one := fun j : nat => if j then 0 else 1.
  Let c0 := - alpha * (1 - beta1).
  Definition moved (N : nat) : R := sum N (fun k => u beta1 one (fun _ => alpha) (S k)).

  Theorem head_start N : moved N = INR N - c0 * (1 - beta1 ^ N) / (1 - beta1).
  Proof.
    unfold moved. induction N as [|N IH]; [simpl; field; lra|].
    rewrite sum_S, IH, S_INR, one_buffer by reflexivity.
    unfold one at 2. rewrite weights_sum. unfold c, c0. simpl. field. lra.
  Qed.

  Theorem head_start_limit : Un_cv (fun N => moved N - INR N) alpha.
  Proof.
    intros eps He. set (W := Rabs alpha + 1).
    assert (HW : 0 < W) by (unfold W; pose proof (Rabs_pos alpha); lra).
    destruct (pow_lt_1_zero beta1) with (y := eps / W) as [N HN].
    - rewrite Rabs_right; lra.
    - apply Rdiv_lt_0_compat; assumption.
    - exists N. intros k Hk. unfold R_dist. rewrite head_start. specialize (HN k Hk).
      replace (INR k - c0 * (1 - beta1 ^ k) / (1 - beta1) - INR k - alpha) with (- (alpha * beta1 ^ k))
        by (unfold c0; field; lra).
      rewrite Rabs_Ropp, Rabs_mult.
      apply Rle_lt_trans with (W * Rabs (beta1 ^ k)).
      + apply Rmult_le_compat_r; [apply Rabs_pos|unfold W; lra].
      + apply Rlt_le_trans with (W * (eps / W)); [apply Rmult_lt_compat_l; assumption|].
        apply Req_le. field. lra.
  Qed.
End HeadStart.

(** *** Lemmas 3, 4 and 10 *)
Section Bounded.
  Variables (alpha beta1 beta2 beta3 : R) (g : nat -> R).
  Hypotheses (g0 : g 0%nat = 0) (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (B3 : 0 <= beta3 < 1).
  Let constant := fun _ : nat => alpha.
  Let c0 := - alpha * (1 - beta1).
  Let kappa := Rabs (1 - c0) + Rabs c0.
  Let M := m beta1 beta2 g constant.
  Let V := v constant beta1 beta3 g.

  Lemma kappa_covers : forall k : nat, Rabs (1 - c beta1 constant k) + Rabs (c beta1 constant k) <= kappa.
  Proof. intros k. unfold c, constant, kappa, c0. lra. Qed.

  Lemma kappa_nonneg : 0 <= kappa.
  Proof. unfold kappa. pose proof (Rabs_pos (1 - c0)). pose proof (Rabs_pos c0). lra. Qed.

  Lemma kappa_at_most_3 : Rabs c0 < 1 -> kappa <= 3.
  Proof. intros H. unfold kappa. pose proof (Rabs_triang 1 (- c0)). rewrite Rabs_Ropp, Rabs_R1 in *.
         replace (1 + - c0) with (1 - c0) in * by ring. lra. Qed.

  (** Lemma 3 with the exact factor. *)
  Theorem lemma_3_exact G k : (forall j, Rabs (g j) <= G) ->
    Rabs (u beta1 g constant (S k)) <= kappa * G /\ Rabs (M k) <= kappa * G /\ 0 <= V k <= (kappa * G)².
  Proof.
    intros HG. pose proof (G_nonneg G g HG) as G0.
    assert (P : 0 <= kappa * G) by (apply Rmult_le_pos; [apply kappa_nonneg|exact G0]).
    split; [|split].
    - apply (u_bounded constant beta1 G g g0 B1 HG kappa kappa_covers).
    - eapply Rle_trans; [apply (m_bounded constant beta1 beta2 G g g0 B1 B2 HG kappa kappa_covers)|].
      assert (0 <= beta2 ^ k) by (apply pow_le; lra). nra.
    - pose proof (v_bounded constant beta1 beta3 G g g0 B1 B3 HG kappa kappa_covers k) as [L U].
      split; [exact L|]. eapply Rle_trans; [exact U|].
      assert (0 <= beta3 ^ k) by (apply pow_le; lra). pose proof (Rle_0_sqr (kappa * G)). nra.
  Qed.

  (** Lemma 3 as the paper has it. *)
  Theorem lemma_3 G k : Rabs c0 < 1 -> (forall j, Rabs (g j) <= G / 16) ->
    Rabs (u beta1 g constant (S k)) <= G /\ Rabs (M k) <= G /\ 0 <= V k <= G².
  Proof.
    intros Hc HG. destruct (lemma_3_exact (G / 16) k HG) as (Hu & Hm & Hv0 & Hv).
    pose proof (G_nonneg (G / 16) g HG). pose proof (kappa_at_most_3 Hc). pose proof kappa_nonneg.
    assert (P : 0 <= kappa * (G / 16) <= G) by nra.
    repeat split; try lra. eapply Rle_trans; [exact Hv|]. apply Rsqr_incr_1; lra.
  Qed.

  (** Lemma 4: how fast the second moment can change. *)
  Section Change.
    Variables (G eps1 : R).
    Hypotheses (HG : forall j, Rabs (g j) <= G) (E1 : 0 < eps1).
    Let W k := sqrt (V k) + eps1.

    Lemma root_at_most k : 0 <= sqrt (V k) <= kappa * G.
    Proof.
      destruct (lemma_3_exact G k HG) as (_ & _ & Hv0 & Hv). split; [apply sqrt_pos|].
      assert (P : 0 <= kappa * G) by (apply Rmult_le_pos; [apply kappa_nonneg|apply (G_nonneg G g HG)]).
      rewrite <- (sqrt_Rsqr (kappa * G)) by exact P. apply sqrt_le_1_alt. exact Hv.
    Qed.

    Theorem lemma_4 k : Rabs (W (S k) - W k) <= sqrt (1 - beta3) * (kappa * G).
    Proof.
      destruct (lemma_3_exact G k HG) as (Hu & _ & Hv0 & _). pose proof (root_at_most k) as [R0 R1].
      set (x := u beta1 g constant (S k)) in *. set (a := sqrt (V k)) in *. set (s := sqrt (1 - beta3)).
      assert (Ha : a * a = V k) by (apply sqrt_sqrt; exact Hv0).
      assert (Hs : s * s = 1 - beta3) by (apply sqrt_sqrt; lra).
      assert (Hs0 : 0 <= s) by apply sqrt_pos.
      assert (Hv : V (S k) = beta3 * V k + (1 - beta3) * (x * x)) by reflexivity.
      assert (P : 0 <= kappa * G) by lra.
      assert (Hx : x * x <= (kappa * G) * (kappa * G)).
      { change (Rsqr x <= Rsqr (kappa * G)). rewrite Rsqr_abs. apply Rsqr_incr_1; [exact Hu|apply Rabs_pos|exact P]. }
      assert (Hs1 : s <= 1) by nra.
      assert (Up : sqrt (V (S k)) <= a + s * (kappa * G)).
      { rewrite <- (sqrt_square (a + s * (kappa * G))) by nra. apply sqrt_le_1_alt. rewrite Hv, <- Ha, <- Hs.
        assert (0 <= s * s * (a * a)) by nra.
        assert (s * s * (x * x) <= s * s * (kappa * G * (kappa * G))) by (apply Rmult_le_compat_l; nra).
        assert (0 <= a * (s * (kappa * G))) by (apply Rmult_le_pos; nra). nra. }
      assert (Down : a - s * (kappa * G) <= sqrt (V (S k))).
      { destruct (Rle_lt_dec (a - s * (kappa * G)) 0) as [Neg|Pos].
        - pose proof (sqrt_pos (V (S k))). lra.
        - rewrite <- (sqrt_square (a - s * (kappa * G))) by lra. apply sqrt_le_1_alt. rewrite Hv, <- Ha.
          assert (0 <= (1 - beta3) * (x * x)) by (apply Rmult_le_pos; [lra|apply Rle_0_sqr]).
          assert (Sa : s * a <= s * (kappa * G)) by (apply Rmult_le_compat_l; lra).
          assert (Q : (a - s * (kappa * G)) * (a - s * (kappa * G)) <= (a - s * a) * (a - s * a)).
          { apply Rmult_le_compat; lra. }
          assert ((1 - s) * (1 - s) <= beta3) by nra.
          assert (0 <= a * a) by nra. nra. }
      unfold W. fold a. apply Rabs_le. lra.
    Qed.

    Theorem lemma_4_relative k : Rabs (W (S k) / W k - 1) <= sqrt (1 - beta3) * (kappa * G) / eps1.
    Proof.
      pose proof (lemma_4 k) as H. pose proof (root_at_most k) as [R0 R1].
      assert (HW : eps1 <= W k) by (unfold W; lra).
      replace (W (S k) / W k - 1) with ((W (S k) - W k) / W k) by (field; lra).
      unfold Rdiv. rewrite Rabs_mult, (Rabs_right (/ W k)) by (left; apply Rinv_0_lt_compat; lra).
      apply Rmult_le_compat; [apply Rabs_pos|left; apply Rinv_0_lt_compat; lra|exact H|].
      apply Rinv_le_contravar; assumption.
    Qed.
  End Change.

  (** Lemma 10 with a constant. *)
  Theorem lemma_10_constant k : 0 < beta3 -> beta2 ^ 2 / beta3 < 1 -> (exists G, forall j, Rabs (g j) <= G) ->
    let zeta := sqrt ((1 - beta2) ^ 2 / ((1 - beta3) * (1 - beta2 ^ 2 / beta3))) in
    Rabs (M k) <= zeta * sqrt (V k).
  Proof.
    intros B3' Hq [G HG] zeta. set (q := beta2 ^ 2 / beta3) in *.
    assert (q0 : 0 <= q) by (unfold q; apply Rmult_le_pos; [apply pow_le; lra|left; apply Rinv_0_lt_compat; lra]).
    set (p := (1 - beta2) ^ 2 / (1 - beta3)).
    assert (p0 : 0 <= p) by (unfold p; apply Rmult_le_pos; [apply pow_le; lra|left; apply Rinv_0_lt_compat; lra]).
    set (Z := (1 - beta2) ^ 2 / ((1 - beta3) * (1 - q))).
    assert (HZ : Z * (1 - q) = p) by (unfold Z, p; field; lra).
    assert (Z0 : 0 <= Z) by nra.
    assert (HA : forall j, A beta2 beta3 j <= Z).
    { induction j as [|j IH]; [exact Z0|]. change (A beta2 beta3 (S j)) with (q * A beta2 beta3 j + p).
      assert (q * A beta2 beta3 j <= q * Z) by (apply Rmult_le_compat_l; assumption). lra. }
    pose proof (lemma_10 constant beta1 beta2 beta3 G g g0 B1 B2 B3 HG kappa kappa_covers B3' k) as L.
    destruct (lemma_3_exact G k HG) as (_ & _ & Hv0 & _). fold V in L. fold M in L.
    rewrite <- (sqrt_Rsqr_abs (M k)). unfold zeta. fold q Z. rewrite <- sqrt_mult_alt by exact Z0.
    apply sqrt_le_1_alt. eapply Rle_trans; [exact L|]. apply Rmult_le_compat_r; [exact Hv0|apply HA].
  Qed.
End Bounded.

(** *** Lemma 7: an average of vectors, along every path and in the mean *)
Theorem lemma_7_path n beta2 (x a : vec) : 0 <= beta2 <= 1 ->
  sq n (fun i => beta2 * x i + (1 - beta2) * a i) <= beta2 * sq n x + (1 - beta2) * sq n a.
Proof.
  intros B. unfold sq. rewrite <- !sum_scal, <- sum_plus. apply sum_le; intros i _.
  assert (0 <= beta2 * (1 - beta2) * ((x i - a i) * (x i - a i)))
    by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply Rle_0_sqr]). nra.
Qed.

Theorem lemma_7 {S : Type} (w : S -> R) (outs : list S) n beta2 (x a : S -> vec) :
  (forall s, 0 <= w s) -> 0 <= beta2 <= 1 ->
  mean w outs (fun s => sq n (fun i => beta2 * x s i + (1 - beta2) * a s i))
  <= beta2 * mean w outs (fun s => sq n (x s)) + (1 - beta2) * mean w outs (fun s => sq n (a s)).
Proof.
  intros Hw B. rewrite <- !mean_scal, <- mean_plus. apply mean_le; [exact Hw|].
  intros s. apply lemma_7_path. exact B.
Qed.

(** *** Lemma 8: descent with any diagonal preconditioner *)
Theorem lemma_8 n (f : vec -> R) (D : vec -> vec) (theta m' q : vec) L eta q_max :
  (forall x y, f y <= f x + dot n (D x) (fun i => y i - x i) + L / 2 * sq n (fun i => y i - x i)) ->
  0 <= L -> 0 <= eta -> (forall i, 0 <= q i <= q_max) ->
  let after := fun i => theta i - eta * (q i * m' i) in
  let weighted := fun x : vec => sum n (fun i => q i * (x i * x i)) in
  f after <= f theta - eta / 2 * (weighted (D theta) + (1 - L * eta * q_max) * weighted m')
             + eta / 2 * weighted (fun i => m' i - D theta i).
Proof.
  intros U HL He Hq after weighted. eapply Rle_trans; [apply (U theta after)|].
  unfold weighted, after, dot, sq.
  assert (K : sum n (fun i => D theta i * (theta i - eta * (q i * m' i) - theta i))
              + L / 2 * sum n (fun i => (theta i - eta * (q i * m' i) - theta i) * (theta i - eta * (q i * m' i) - theta i))
              <= - (eta / 2) * sum n (fun i => q i * (D theta i * D theta i))
                 + - (eta / 2 * (1 - L * eta * q_max)) * sum n (fun i => q i * (m' i * m' i))
                 + eta / 2 * sum n (fun i => q i * ((m' i - D theta i) * (m' i - D theta i)))).
  { rewrite <- !sum_scal, <- !sum_plus. apply sum_le; intros i _. destruct (Hq i) as [q0 q1].
    assert (0 <= q i * (m' i * m' i)) by (apply Rmult_le_pos; [lra|apply Rle_0_sqr]).
    assert (0 <= L / 2 * (eta * eta) * ((q_max - q i) * (q i * (m' i * m' i))))
      by (apply Rmult_le_pos; [apply Rmult_le_pos; nra|apply Rmult_le_pos; lra]). nra. }
  lra.
Qed.

Theorem lemma_8_descends n (f : vec -> R) (D : vec -> vec) (theta m' q : vec) L eta q_max :
  (forall x y, f y <= f x + dot n (D x) (fun i => y i - x i) + L / 2 * sq n (fun i => y i - x i)) ->
  0 <= L -> 0 <= eta -> (forall i, 0 <= q i <= q_max) -> L * eta * q_max <= 1 / 2 ->
  f (fun i => theta i - eta * (q i * m' i))
  <= f theta + eta / 2 * sum n (fun i => q i * ((m' i - D theta i) * (m' i - D theta i))).
Proof.
  intros U HL He Hq Hs. pose proof (lemma_8 n f D theta m' q L eta q_max U HL He Hq) as K. cbv zeta in K.
  assert (P : forall x : vec, 0 <= sum n (fun i => q i * (x i * x i))).
  { intros x. apply sum_nonneg; intros i _. apply Rmult_le_pos; [apply Hq|apply Rle_0_sqr]. }
  pose proof (P (D theta)) as P1. pose proof (P m') as P2.
  assert (0 <= eta / 2 * (sum n (fun i => q i * (D theta i * D theta i))
                          + (1 - L * eta * q_max) * sum n (fun i => q i * (m' i * m' i)))).
  { apply Rmult_le_pos; [lra|]. apply Rplus_le_le_0_compat; [exact P1|]. apply Rmult_le_pos; [lra|exact P2]. }
  lra.
Qed.

(** *** Lemma 9: the layer factor *)
Lemma cauchy_schwarz n (x y : vec) : dot n x y * dot n x y <= sq n x * sq n y.
Proof.
  unfold dot, sq. induction n as [|n IH]; [simpl; lra|]. simpl.
  assert (X : 0 <= sum n (fun i => x i * x i)) by (apply sum_nonneg; intros; apply Rle_0_sqr).
  assert (Y : 0 <= sum n (fun i => y i * y i)) by (apply sum_nonneg; intros; apply Rle_0_sqr).
  set (p := sum n (fun i => x i * y i)) in *. set (P := sum n (fun i => x i * x i)) in *.
  set (Q := sum n (fun i => y i * y i)) in *. set (a := x n). set (b := y n).
  set (s := P * (b * b)). set (t := Q * (a * a)).
  assert (S0 : 0 <= s) by (apply Rmult_le_pos; [exact X|apply Rle_0_sqr]).
  assert (T0 : 0 <= t) by (apply Rmult_le_pos; [exact Y|apply Rle_0_sqr]).
  assert (K : (p * (a * b)) * (p * (a * b)) <= s * t).
  { replace (p * (a * b) * (p * (a * b))) with (p * p * ((a * b) * (a * b))) by ring.
    replace (s * t) with (P * Q * ((a * b) * (a * b))) by (unfold s, t; ring).
    apply Rmult_le_compat_r; [apply Rle_0_sqr|exact IH]. }
  assert (2 * (p * (a * b)) <= s + t).
  { destruct (Rle_lt_dec (2 * (p * (a * b))) (s + t)) as [Le|Gt]; [exact Le|]. exfalso.
    assert ((s + t) * (s + t) < 2 * (p * (a * b)) * (2 * (p * (a * b)))) by (apply Rmult_le_0_lt_compat; lra).
    pose proof (Rle_0_sqr (s - t)) as Z. unfold Rsqr in Z. lra. }
  unfold s, t in *. nra.
Qed.

Definition norm n (x : vec) : R := sqrt (sq n x).

Lemma norm_triangle n (x y : vec) : norm n (fun i => x i + y i) <= norm n x + norm n y.
Proof.
  unfold norm. pose proof (sq_nonneg n x) as X. pose proof (sq_nonneg n y) as Y.
  pose proof (sqrt_pos (sq n x)). pose proof (sqrt_pos (sq n y)).
  rewrite <- (sqrt_square (sqrt (sq n x) + sqrt (sq n y))) by lra. apply sqrt_le_1_alt.
  assert (E : sq n (fun i => x i + y i) = sq n x + 2 * dot n x y + sq n y).
  { unfold sq, dot. rewrite <- sum_scal, <- !sum_plus. apply sum_ext; intros; ring. }
  rewrite E. pose proof (sqrt_sqrt _ X) as SX. pose proof (sqrt_sqrt _ Y) as SY.
  assert (dot n x y <= sqrt (sq n x) * sqrt (sq n y)).
  { rewrite <- sqrt_mult_alt by exact X. eapply Rle_trans; [apply Rle_abs|]. rewrite <- sqrt_Rsqr_abs.
    apply sqrt_le_1_alt. unfold Rsqr. apply cauchy_schwarz. }
  nra.
Qed.

Lemma norm_scaled n k (x : vec) : 0 <= k -> norm n (fun i => k * x i) = k * norm n x.
Proof.
  intros Hk. unfold norm. replace (sq n (fun i => k * x i)) with ((k * k) * sq n x)
    by (unfold sq; rewrite <- sum_scal; apply sum_ext; intros; ring).
  rewrite sqrt_mult_alt by nra. rewrite sqrt_square by exact Hk. reflexivity.
Qed.

Theorem lemma_9 n (theta x : vec) gamma eps2 eps3 : 0 <= gamma -> 0 < eps2 -> 0 < eps3 ->
  let r := fun i => x i + gamma * theta i in        (* x is m / W *)
  let phi := norm n theta + eps3 in
  let s := phi / (norm n r + eps2 * phi) in
  s * norm n r <= phi /\ s <= / eps2 /\ / s <= norm n x / eps3 + gamma + eps2.
Proof.
  intros Hg H2 H3 r phi s. pose proof (sqrt_pos (sq n theta)) as T0. pose proof (sqrt_pos (sq n r)) as R0.
  pose proof (sqrt_pos (sq n x)) as X0. fold (norm n theta) in T0. fold (norm n r) in R0. fold (norm n x) in X0.
  assert (P : 0 < phi) by (unfold phi; lra). assert (Q : 0 < norm n r + eps2 * phi) by nra.
  assert (Tri : norm n r <= norm n x + gamma * norm n theta).
  { rewrite <- norm_scaled by exact Hg. apply norm_triangle. }
  split; [|split].
  - unfold s. apply Rmult_le_reg_r with (norm n r + eps2 * phi); [exact Q|].
    replace (phi / (norm n r + eps2 * phi) * norm n r * (norm n r + eps2 * phi)) with (phi * norm n r) by (field; lra).
    apply Rmult_le_compat_l; nra.
  - unfold s. apply Rmult_le_reg_r with (norm n r + eps2 * phi); [exact Q|].
    replace (phi / (norm n r + eps2 * phi) * (norm n r + eps2 * phi)) with phi by (field; lra).
    replace (/ eps2 * (norm n r + eps2 * phi)) with (/ eps2 * norm n r + phi) by (field; lra).
    assert (0 <= / eps2 * norm n r) by (apply Rmult_le_pos; [left; apply Rinv_0_lt_compat; exact H2|exact R0]). lra.
  - unfold s. replace (/ (phi / (norm n r + eps2 * phi))) with (norm n r / phi + eps2) by (field; lra).
    apply Rplus_le_compat_r.
    apply Rmult_le_reg_r with phi; [exact P|].
    replace (norm n r / phi * phi) with (norm n r) by (field; lra).
    eapply Rle_trans; [exact Tri|]. rewrite Rmult_plus_distr_r. apply Rplus_le_compat.
    + unfold phi. rewrite Rmult_plus_distr_l. replace (norm n x / eps3 * eps3) with (norm n x) by (field; lra).
      assert (0 <= norm n x / eps3 * norm n theta)
        by (apply Rmult_le_pos; [apply Rmult_le_pos; [exact X0|left; apply Rinv_0_lt_compat; exact H3]|exact T0]). lra.
    + apply Rmult_le_compat_l; [exact Hg|unfold phi; lra].
Qed.
