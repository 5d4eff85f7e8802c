(** Vectors as functions of an index, of which the first n count; norms, over all of them and over one layer. *)
From Coq Require Import Reals Lra Lia PeanoNat FunctionalExtensionality.
From Proofs Require Import Sums.
Local Open Scope R_scope.

Definition vec := nat -> R.
Definition dot (n : nat) (x y : vec) : R := sum n (fun i => x i * y i).
Definition sq (n : nat) (x : vec) : R := sum n (fun i => x i * x i).
Definition norm (n : nat) (x : vec) : R := sqrt (sq n x).

Lemma square_nonneg x : 0 <= x * x.
Proof. apply Rle_0_sqr. Qed.

Lemma inverse_nonneg x : 0 < x -> 0 <= / x.
Proof. intros. left. apply Rinv_0_lt_compat. assumption. Qed.

Lemma square_le x y : 0 <= y -> x * x <= y * y -> x <= y.
Proof. intros. apply Rsqr_incr_0_var; assumption. Qed.

Lemma square_abs_le x r : Rabs x <= r -> x * x <= r * r.
Proof.
  intros H. change (Rsqr x <= Rsqr r). rewrite Rsqr_abs. apply Rsqr_incr_1; [exact H|apply Rabs_pos|].
  eapply Rle_trans; [apply Rabs_pos|exact H].
Qed.

Lemma sq_nonneg n x : 0 <= sq n x.
Proof. apply sum_nonneg; intros; apply square_nonneg. Qed.

Lemma sq_ext n x y : (forall i, (i < n)%nat -> x i = y i) -> sq n x = sq n y.
Proof. intros H. unfold sq. apply sum_ext; intros. rewrite H; auto. Qed.

Lemma dot_ext n x x' y y' : (forall i, (i < n)%nat -> x i = x' i) -> (forall i, (i < n)%nat -> y i = y' i) ->
  dot n x y = dot n x' y'.
Proof. intros H K. unfold dot. apply sum_ext; intros. rewrite H, K; auto. Qed.

Lemma norm_nonneg n x : 0 <= norm n x.
Proof. apply sqrt_pos. Qed.

Lemma norm_square n x : norm n x * norm n x = sq n x.
Proof. apply sqrt_sqrt, sq_nonneg. Qed.

Lemma sq_sum n x y : sq n (fun i => x i + y i) = sq n x + 2 * dot n x y + sq n y.
Proof. unfold sq, dot. rewrite <- sum_scal, <- !sum_plus. apply sum_ext; intros; ring. Qed.

Lemma sq_scaled n k x : sq n (fun i => k * x i) = k * k * sq n x.
Proof. unfold sq. rewrite <- sum_scal. apply sum_ext; intros; ring. Qed.

Lemma dot_scaled n k x y : dot n (fun i => k * x i) y = k * dot n x y.
Proof. unfold dot. rewrite <- sum_scal. apply sum_ext; intros; ring. Qed.

Lemma dot_comm n x y : dot n x y = dot n y x.
Proof. unfold dot. apply sum_ext; intros; ring. Qed.

Lemma cauchy_schwarz_square n (x y : vec) : dot n x y * dot n x y <= sq n x * sq n y.
Proof.
  destruct (Rle_lt_or_eq_dec _ _ (sq_nonneg n y)) as [Pos|Zero].
  - pose proof (sq_nonneg n (fun i => sq n y * x i + - dot n x y * y i)) as N.
    rewrite sq_sum, !sq_scaled, dot_scaled, (dot_comm _ x), dot_scaled, (dot_comm _ y) in N.
    apply Rmult_le_reg_l with (sq n y); [exact Pos|]. nra.
  - rewrite <- Zero. replace (dot n x y) with 0; [lra|]. symmetry. unfold dot. rewrite <- (sum_zero n).
    apply sum_ext; intros i Hi. assert (y i * y i <= 0).
    { rewrite Zero. apply (sum_one n i (fun i => y i * y i)); [exact Hi|intros; apply square_nonneg]. }
    assert (y i = 0) as -> by (pose proof (square_nonneg (y i)); apply Rsqr_0_uniq; unfold Rsqr; lra). ring.
Qed.

Lemma cauchy_schwarz n (x y : vec) : Rabs (dot n x y) <= norm n x * norm n y.
Proof.
  apply square_le; [apply Rmult_le_pos; apply norm_nonneg|].
  replace (norm n x * norm n y * (norm n x * norm n y)) with (sq n x * sq n y)
    by (rewrite <- !norm_square; ring).
  change (Rsqr (Rabs (dot n x y)) <= sq n x * sq n y). rewrite <- Rsqr_abs. apply cauchy_schwarz_square.
Qed.

Lemma norm_triangle n (x y : vec) : norm n (fun i => x i + y i) <= norm n x + norm n y.
Proof.
  pose proof (norm_nonneg n x). pose proof (norm_nonneg n y).
  apply square_le; [lra|]. rewrite norm_square, sq_sum, <- !norm_square.
  pose proof (cauchy_schwarz n x y). pose proof (Rle_abs (dot n x y)). nra.
Qed.

Lemma norm_scaled n k (x : vec) : 0 <= k -> norm n (fun i => k * x i) = k * norm n x.
Proof.
  intros Hk. unfold norm. rewrite sq_scaled, sqrt_mult_alt by nra. rewrite sqrt_square by exact Hk. reflexivity.
Qed.

(** *** Layers: each coordinate belongs to one *)
Section Layers.
  Variables (n : nat) (layer : nat -> nat).
  Definition within (l : nat) (x : vec) : vec := fun j => if Nat.eqb (layer j) l then x j else 0.
  Definition norm_in (l : nat) (x : vec) : R := norm n (within l x).
  (** How many coordinates a layer has. *)
  Definition size (l : nat) : R := sum n (within l (fun _ => 1)).

  Lemma size_nonneg l : 0 <= size l.
  Proof. apply sum_nonneg; intros. unfold within. destruct (Nat.eqb _ _); lra. Qed.

  Lemma norm_bounded l x r : 0 <= r -> (forall j, Rabs (x j) <= r) -> norm_in l x <= sqrt (size l) * r.
  Proof.
    intros Hr Hx. unfold norm_in, norm. rewrite <- (sqrt_square r) by exact Hr.
    rewrite <- sqrt_mult_alt by apply size_nonneg. apply sqrt_le_1_alt.
    unfold sq, size. rewrite Rmult_comm, <- sum_scal. apply sum_le; intros j _. unfold within.
    pose proof (square_abs_le _ _ (Hx j)). destruct (Nat.eqb _ _); lra.
  Qed.
End Layers.

(** *** Lemma 7: an average of vectors, along every path and in the mean *)
Theorem lemma_7_path n beta2 (x a : vec) : 0 <= beta2 <= 1 ->
  sq n (fun i => beta2 * x i + (1 - beta2) * a i) <= beta2 * sq n x + (1 - beta2) * sq n a.
Proof.
  intros B. unfold sq. rewrite <- !sum_scal, <- sum_plus. apply sum_le; intros i _.
  assert (0 <= beta2 * (1 - beta2) * ((x i - a i) * (x i - a i)))
    by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply square_nonneg]). nra.
Qed.

Theorem lemma_7 {S : Type} (w : S -> R) (outs : list S) n beta2 (x a : S -> vec) :
  (forall s, 0 <= w s) -> 0 <= beta2 <= 1 ->
  mean w outs (fun s => sq n (fun i => beta2 * x s i + (1 - beta2) * a s i))
  <= beta2 * mean w outs (fun s => sq n (x s)) + (1 - beta2) * mean w outs (fun s => sq n (a s)).
Proof.
  intros Hw B. rewrite <- !mean_scal, <- mean_plus. apply mean_le; [exact Hw|].
  intros s. apply lemma_7_path. exact B.
Qed.

(** *** Lemma 9: the layer factor. The theorem is for one layer; [n] is then its size. *)
Theorem lemma_9 n (theta x : vec) gamma eps2 eps3 : 0 <= gamma -> 0 < eps2 -> 0 < eps3 ->
  let r := fun i => x i + gamma * theta i in        (* x is m / W *)
  let phi := norm n theta + eps3 in
  let s := phi / (norm n r + eps2 * phi) in
  s * norm n r <= phi /\ s <= / eps2 /\ / s <= norm n x / eps3 + gamma + eps2.
Proof.
  intros Hg H2 H3 r phi s. pose proof (norm_nonneg n theta) as T0. pose proof (norm_nonneg n r) as R0.
  pose proof (norm_nonneg n x) as X0.
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
    assert (0 <= / eps2 * norm n r) by (apply Rmult_le_pos; [apply inverse_nonneg; exact H2|exact R0]). lra.
  - unfold s. replace (/ (phi / (norm n r + eps2 * phi))) with (norm n r / phi + eps2) by (field; lra).
    apply Rplus_le_compat_r. apply Rmult_le_reg_r with phi; [exact P|].
    replace (norm n r / phi * phi) with (norm n r) by (field; lra).
    eapply Rle_trans; [exact Tri|]. rewrite Rmult_plus_distr_r. apply Rplus_le_compat.
    + unfold phi. rewrite Rmult_plus_distr_l. replace (norm n x / eps3 * eps3) with (norm n x) by (field; lra).
      assert (0 <= norm n x / eps3 * norm n theta)
        by (apply Rmult_le_pos; [apply Rmult_le_pos; [exact X0|apply inverse_nonneg; exact H3]|exact T0]). lra.
    + apply Rmult_le_compat_l; [exact Hg|unfold phi; lra].
Qed.
