(** ESGD without noise on a smooth convex function: the average iterate's gap is |x_0 - x*|^2 / (2 eta N). *)
From Coq Require Import Reals Lra Lia.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters.
Local Open Scope R_scope.

Section Convex.
  Variable n : nat.
  Variables (f : vec -> R) (D : vec -> vec) (L : R) (star : vec).
  Hypotheses (L_pos : 0 < L) (f_smooth : smooth n f D L) (f_convex : convex f) (star_is : minimiser f star).

  (** Baillon and Haddad's inequality at the minimiser, from convexity and smoothness. *)
  Lemma cocoercive x : f x - f star + / (2 * L) * sq n (D x) <= dot n (D x) (fun i => x i - star i).
  Proof.
    set (z := fun i => star i + / L * D x i).
    pose proof (convex_tangent n f D (proj1 f_smooth) f_convex x z) as C. pose proof (smooth_upper n f D L f_smooth star z) as U.
    replace (dot n (D star) (fun i => z i - star i)) with 0 in U.
    2: { unfold dot. rewrite <- (sum_zero n). apply sum_ext; intros i Hi.
         rewrite (stationary n f D L star f_smooth L_pos star_is i Hi). ring. }
    assert (E1 : sq n (fun i => z i - star i) = / L * / L * sq n (D x))
      by (unfold sq; rewrite <- sum_scal; apply sum_ext; intros; unfold z; ring).
    assert (E2 : dot n (D x) (fun i => z i - x i) = / L * sq n (D x) - dot n (D x) (fun i => x i - star i))
      by (unfold sq, dot; rewrite <- sum_scal, <- sum_minus; apply sum_ext; intros; unfold z; ring).
    rewrite E1 in U. rewrite E2 in C.
    assert (E3 : L / 2 * (/ L * / L * sq n (D x)) = / (2 * L) * sq n (D x)) by (field; lra).
    assert (E4 : / L * sq n (D x) = / (2 * L) * sq n (D x) + / (2 * L) * sq n (D x)) by (field; lra). lra.
  Qed.

  Variables (alpha beta1 beta2 eta : R) (x : nat -> vec) (g : nat -> vec).
  Hypotheses (B2 : 0 <= beta2 < 1) (eta_pos : 0 < eta).
  Hypothesis g_0 : forall i, g 0%nat i = 0.
  Hypothesis g_S : forall k i, g (S k) i = D (x k) i.
  Let M k i := m beta1 beta2 (fun j => g j i) (fun _ => alpha) k.
  Let T k i := lag alpha beta1 beta2 (fun j => g j i) k.
  Hypothesis step : forall k i, x (S k) i = x k i - eta * M (S k) i.
  Variable K : R.
  Hypothesis age : forall k, sum k (fun i => Rabs (age_weight alpha beta1 beta2 i)) <= K.
  Hypothesis step_size : eta * L * (1 + 2 * K) <= 1.

  Lemma K_nonneg : 0 <= K.
  Proof. exact (age 0). Qed.

  Let y k i := x k i - eta * T k i.
  Lemma virtual k i : y (S k) i = y k i - eta * g (S k) i.
  Proof.
    apply (virtual_iterate alpha beta1 beta2 (fun j => g j i) (g_0 i) eta (fun k => x k i)); [lra|intros j; apply step].
  Qed.

  Lemma distance k :
    sq n (fun i => y (S k) i - star i)
    = sq n (fun i => y k i - star i)
      - 2 * eta * dot n (g (S k)) (fun i => x k i - star i)
      + (eta * eta * (2 * dot n (g (S k)) (T k)) + eta * eta * sq n (g (S k))).
  Proof.
    unfold sq, dot. rewrite <- !sum_scal, <- sum_minus, <- !sum_plus. apply sum_ext; intros i _.
    rewrite virtual. unfold y. ring.
  Qed.

  Let A i := Rabs (age_weight alpha beta1 beta2 i).
  Let E k := sq n (g k).

  Lemma young (a : R) (p q : vec) : 2 * (a * dot n p q) <= Rabs a * sq n p + Rabs a * sq n q.
  Proof.
    unfold dot, sq. rewrite <- !sum_scal, <- sum_plus. apply sum_le; intros i _.
    pose proof (Rle_0_sqr (p i - q i)). pose proof (Rle_0_sqr (p i + q i)). unfold Rsqr in *.
    unfold Rabs; destruct (Rcase_abs a); nra.
  Qed.

  Lemma dot_lag k : 2 * dot n (g (S k)) (T k) <= K * E (S k) + sum k (fun i => A i * E (k - i)%nat).
  Proof.
    assert (X : dot n (g (S k)) (T k)
                = sum k (fun i => age_weight alpha beta1 beta2 i * dot n (g (S k)) (g (k - i)%nat))).
    { transitivity (sum n (fun j => sum k (fun i =>
        age_weight alpha beta1 beta2 i * (g (S k) j * g (k - i)%nat j)))).
      - unfold dot. apply sum_ext; intros j _. unfold T. rewrite lag_filter by apply g_0.
        rewrite <- sum_scal. apply sum_ext; intros; ring.
      - rewrite sum_exchange. apply sum_ext; intros i _. unfold dot. apply sum_scal. }
    rewrite X, <- sum_scal.
    apply Rle_trans with (sum k (fun i => A i * E (S k) + A i * E (k - i)%nat)).
    - apply sum_le; intros i _. apply young.
    - rewrite sum_plus. apply Rplus_le_compat_r.
      rewrite (sum_ext k (fun i => A i * E (S k)) (fun i => E (S k) * A i)) by (intros; ring).
      rewrite sum_scal, (Rmult_comm K). apply Rmult_le_compat_l; [apply sq_nonneg|apply age].
  Qed.

  Theorem convex_sum N :
    2 * eta * sum N (fun k => f (x k) - f star) <= sq n (fun i => x 0%nat i - star i).
  Proof.
    assert (P : forall k, 2 * eta * (f (x k) - f star) + eta / L * E (S k)
                <= (sq n (fun i => y k i - star i) - sq n (fun i => y (S k) i - star i))
                   + eta * eta * (K * E (S k) + sum k (fun i => A i * E (k - i)%nat) + E (S k))).
    { intros k. rewrite distance. pose proof (cocoercive (x k)) as C. pose proof (dot_lag k) as DL.
      assert (X1 : sq n (D (x k)) = E (S k)) by (unfold E, sq; apply sum_ext; intros; rewrite g_S; reflexivity).
      assert (X2 : dot n (D (x k)) (fun i => x k i - star i) = dot n (g (S k)) (fun i => x k i - star i))
        by (unfold dot; apply sum_ext; intros; rewrite g_S; reflexivity).
      rewrite X1, X2 in C. fold (E (S k)).
      assert (eta * eta * (2 * dot n (g (S k)) (T k))
              <= eta * eta * (K * E (S k) + sum k (fun i => A i * E (k - i)%nat)))
        by (apply Rmult_le_compat_l; [nra|exact DL]).
      assert (2 * eta * (f (x k) - f star + / (2 * L) * E (S k))
              <= 2 * eta * dot n (g (S k)) (fun i => x k i - star i)) by (apply Rmult_le_compat_l; lra).
      assert (2 * eta * (/ (2 * L) * E (S k)) = eta / L * E (S k)) by (field; lra). lra. }
    set (S2 := sum N (fun k => E (S k))).
    assert (HE : forall k, 0 <= E k) by (intros; apply sq_nonneg).
    assert (HS : 0 <= S2) by (apply sum_nonneg; intros; apply HE).
    assert (Q : 2 * eta * sum N (fun k => f (x k) - f star) + eta / L * S2
                <= sq n (fun i => y 0%nat i - star i) - sq n (fun i => y N i - star i)
                   + eta * eta * (K * S2 + K * S2 + S2)).
    { apply Rle_trans with (sum N (fun k => (sq n (fun i => y k i - star i) - sq n (fun i => y (S k) i - star i))
                   + eta * eta * (K * E (S k) + sum k (fun i => A i * E (k - i)%nat) + E (S k)))).
      - unfold S2. rewrite <- !sum_scal, <- sum_plus. apply sum_le; intros k _. apply P.
      - rewrite sum_plus, sum_scal, !sum_plus, sum_scal. fold S2.
        assert (F : sum N (fun k => sum k (fun i => A i * E (k - i)%nat)) <= K * S2)
          by (apply filter_energy; [exact age|exact HE]).
        assert (Z : sum N (fun k => sq n (fun i => y k i - star i) - sq n (fun i => y (S k) i - star i))
                    = sq n (fun i => y 0%nat i - star i) - sq n (fun i => y N i - star i)).
        { rewrite (sum_ext N _ (fun k => - 1 * (sq n (fun i => y (S k) i - star i) - sq n (fun i => y k i - star i))))
            by (intros; ring).
          rewrite sum_scal, (sum_telescope N (fun k => sq n (fun i => y k i - star i))). ring. }
        rewrite Z. apply Rplus_le_compat_l. apply Rmult_le_compat_l; [nra|]. lra. }
    assert (Y0 : sq n (fun i => y 0%nat i - star i) = sq n (fun i => x 0%nat i - star i)).
    { unfold sq. apply sum_ext; intros i _. unfold y, T, lag. simpl. ring. }
    assert (YN : 0 <= sq n (fun i => y N i - star i)) by apply sq_nonneg.
    assert (CL : eta * eta * (K * S2 + K * S2 + S2) <= eta / L * S2).
    { replace (eta * eta * (K * S2 + K * S2 + S2)) with (eta / L * (eta * L * (1 + 2 * K)) * S2) by (field; lra).
      apply Rmult_le_compat_r; [exact HS|]. rewrite <- (Rmult_1_r (eta / L)) at 2.
      apply Rmult_le_compat_l; [|exact step_size].
      apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]. }
    lra.
  Qed.
End Convex.

(** The statement, for ESGD as a recursion; K bounds the sums of |t_i|. *)
Theorem convex_average n f D L star alpha beta1 beta2 eta (x g : nat -> vec) K N :
  0 < L -> smooth n f D L -> convex f -> minimiser f star -> 0 <= beta2 < 1 -> 0 < eta ->
  (forall i, g 0%nat i = 0) -> (forall k i, g (S k) i = D (x k) i) ->
  (forall k i, x (S k) i = x k i - eta * m beta1 beta2 (fun j => g j i) (fun _ => alpha) (S k)) ->
  (forall k, sum k (fun i => Rabs (age_weight alpha beta1 beta2 i)) <= K) ->
  eta * L * (1 + 2 * K) <= 1 -> (0 < N)%nat ->
  sum N (fun k => f (x k)) / INR N - f star <= sq n (fun i => x 0%nat i - star i) / (2 * eta * INR N).
Proof.
  intros HL Sm C St B2 He g0 gS step A Hs HN.
  pose proof (convex_sum n f D L star HL Sm C St alpha beta1 beta2 eta x g B2 He g0 gS step K A Hs N) as P.
  rewrite sum_minus, sum_const in P.
  assert (HNR : 0 < INR N) by (apply lt_0_INR; exact HN).
  apply Rmult_le_reg_l with (2 * eta * INR N); [apply Rmult_lt_0_compat; lra|].
  replace (2 * eta * INR N * (sum N (fun k => f (x k)) / INR N - f star))
    with (2 * eta * (sum N (fun k => f (x k)) - INR N * f star)) by (field; lra).
  replace (2 * eta * INR N * (sq n (fun i => x 0%nat i - star i) / (2 * eta * INR N)))
    with (sq n (fun i => x 0%nat i - star i)) by (field; lra).
  exact P.
Qed.

(** With alpha <= 0 the age is b - alpha = b + |alpha|: no sum is left in the statement. *)
Corollary convex_average_exploring n f D L star alpha beta1 beta2 eta (x g : nat -> vec) N :
  0 < L -> smooth n f D L -> convex f -> minimiser f star -> 0 <= beta1 < 1 -> 0 <= beta2 < 1 -> 0 < eta ->
  (forall i, g 0%nat i = 0) -> (forall k i, g (S k) i = D (x k) i) ->
  (forall k i, x (S k) i = x k i - eta * m beta1 beta2 (fun j => g j i) (fun _ => alpha) (S k)) ->
  alpha <= 0 -> - alpha * (1 - beta1) <= 1 ->
  eta * L * (1 + 2 * (beta2 / (1 - beta2) - alpha)) <= 1 -> (0 < N)%nat ->
  sum N (fun k => f (x k)) / INR N - f star <= sq n (fun i => x 0%nat i - star i) / (2 * eta * INR N).
Proof.
  intros. apply (convex_average n f D L star alpha beta1 beta2 eta x g (beta2 / (1 - beta2) - alpha)); try assumption.
  apply total_age; assumption.
Qed.
