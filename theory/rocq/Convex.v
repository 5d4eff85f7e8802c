(** ESGD without noise on a smooth convex function: the average iterate's gap is |x_0 - x*|^2 / (2 eta N). *)
From Coq Require Import Reals Lra Lia.
From Proofs Require Import Sums TheoremN Adaptor.
Local Open Scope R_scope.

(** *** Sums once more *)
Lemma sum_shift_ n f : sum (S n) f = f O + sum n (fun i => f (S i)).
Proof. induction n as [|n IH]; [simpl; ring|]. rewrite sum_S, IH, sum_S. ring. Qed.

Lemma sum_reverse n f : sum n f = sum n (fun i => f (n - 1 - i)%nat).
Proof.
  revert f; induction n as [|n IH]; intros f; [reflexivity|].
  rewrite sum_shift_, sum_S, IH. replace (S n - 1 - n)%nat with 0%nat by lia.
  rewrite (sum_ext n (fun i => f (S (n - 1 - i))) (fun i => f (S n - 1 - i)%nat)); [ring|].
  intros i Hi. f_equal. lia.
Qed.

(** Swapping the two sums of a causal filter. *)
Lemma swap N (p q : nat -> R) :
  sum N (fun k => sum k (fun i => p i * q (k - i)%nat))
  = sum N (fun j => q (S j) * sum (N - 1 - j) p).
Proof.
  induction N as [|N IH]; [reflexivity|].
  rewrite sum_S, IH, sum_S. replace (S N - 1 - N)%nat with 0%nat by lia. change (sum 0 p) with 0.
  rewrite (sum_reverse N (fun i => p i * q (N - i)%nat)), Rmult_0_r, Rplus_0_r, <- sum_plus.
  apply sum_ext; intros j Hj. replace (S N - 1 - j)%nat with (S (N - 1 - j)) by lia.
  replace (N - (N - 1 - j))%nat with (S j) by lia. rewrite sum_S. ring.
Qed.

Lemma exchange n k (F : nat -> nat -> R) :
  sum n (fun j => sum k (F j)) = sum k (fun i => sum n (fun j => F j i)).
Proof.
  induction n as [|n IH]; [symmetry; apply sum_zero|].
  rewrite sum_S, IH, <- sum_plus. apply sum_ext; intros; reflexivity.
Qed.

Lemma filter_energy N p q K :
  (forall k, sum k p <= K) -> (forall j, 0 <= q j) ->
  sum N (fun k => sum k (fun i => p i * q (k - i)%nat)) <= K * sum N (fun j => q (S j)).
Proof.
  intros HK Hq. rewrite swap, <- sum_scal. apply sum_le; intros j _.
  rewrite (Rmult_comm K). apply Rmult_le_compat_l; auto.
Qed.

(** *** The filter of ESGD *)
Section Filter.
  Variables (alpha beta1 beta2 : R).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1).
  Let c := - alpha * (1 - beta1).
  Let b := beta2 / (1 - beta2).

  Fixpoint weight (i : nat) : R :=
    match i with
    | O => (1 - beta2) * (1 - c)
    | S j => beta2 * weight j + (1 - beta2) * (c * ((1 - beta1) * beta1 ^ j))
    end.
  Definition age_weight (i : nat) : R := b * weight i + c * beta1 ^ i.

  Variable g : nat -> R.
  Hypothesis g0 : g 0%nat = 0.

  Lemma slow_filter k : h beta1 g k = sum k (fun i => (1 - beta1) * beta1 ^ i * g (k - i)%nat).
  Proof.
    induction k as [|k IH]; [reflexivity|]. rewrite sum_shift_. simpl h. rewrite IH, <- sum_scal.
    rewrite pow_O, Nat.sub_0_r, Rplus_comm. f_equal; [ring|].
    apply sum_ext; intros i _. rewrite Nat.sub_succ. simpl. ring.
  Qed.

  Lemma momentum_filter k : m beta1 beta2 g (fun _ => alpha) k = sum k (fun i => weight i * g (k - i)%nat).
  Proof.
    induction k as [|k IH]; [reflexivity|]. rewrite sum_shift_.
    change (m beta1 beta2 g (fun _ => alpha) (S k))
      with (beta2 * m beta1 beta2 g (fun _ => alpha) k + (1 - beta2) * u beta1 g (fun _ => alpha) (S k)).
    rewrite one_buffer by exact g0. unfold Adaptor.c. fold c. rewrite IH, slow_filter, <- !sum_scal.
    rewrite (sum_ext k (fun i => weight (S i) * g (S k - S i)%nat)
               (fun i => beta2 * (weight i * g (k - i)%nat)
                         + (1 - beta2) * (c * ((1 - beta1) * beta1 ^ i * g (k - i)%nat)))).
    - rewrite sum_plus, !sum_scal. simpl weight. rewrite Nat.sub_0_r. ring.
    - intros i _. rewrite Nat.sub_succ. simpl. ring.
  Qed.

  Lemma lag_filter k : lag alpha beta1 beta2 g k = sum k (fun i => age_weight i * g (k - i)%nat).
  Proof.
    unfold lag. rewrite momentum_filter, slow_filter, <- !sum_scal, <- sum_minus.
    apply sum_ext; intros i _. unfold age_weight, b, c. ring.
  Qed.
End Filter.

(** The total age of a filter with alpha <= 0: at most b - alpha, whatever the number of steps. *)
Section Age.
  Variables (alpha beta1 beta2 : R).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (explore : alpha <= 0) (region : - alpha * (1 - beta1) <= 1).
  Let one := fun j : nat => match j with O => 0 | S _ => 1 end.

  Lemma weight_nonneg i : 0 <= weight alpha beta1 beta2 i.
  Proof.
    assert (0 <= - alpha * (1 - beta1)) by (apply Rmult_le_pos; lra).
    induction i as [|i IH]; simpl.
    - apply Rmult_le_pos; lra.
    - assert (0 <= beta1 ^ i) by (apply pow_le; lra).
      apply Rplus_le_le_0_compat; [apply Rmult_le_pos; lra|].
      apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; lra.
  Qed.

  Lemma age_weight_nonneg i : 0 <= age_weight alpha beta1 beta2 i.
  Proof.
    unfold age_weight. pose proof (weight_nonneg i).
    assert (0 <= beta1 ^ i) by (apply pow_le; lra).
    assert (0 <= beta2 / (1 - beta2)) by (apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]).
    assert (0 <= - alpha * (1 - beta1)) by (apply Rmult_le_pos; lra).
    apply Rplus_le_le_0_compat; apply Rmult_le_pos; assumption.
  Qed.

  Lemma one_slow k : h beta1 one k <= 1.
  Proof. induction k as [|k IH]; simpl; [lra|]. assert (beta1 * h beta1 one k <= beta1 * 1) by (apply Rmult_le_compat_l; lra). lra. Qed.

  Lemma one_momentum k : m beta1 beta2 one (fun _ => alpha) k <= 1.
  Proof.
    induction k as [|k IH]; [simpl; lra|].
    change (m beta1 beta2 one (fun _ => alpha) (S k))
      with (beta2 * m beta1 beta2 one (fun _ => alpha) k + (1 - beta2) * u beta1 one (fun _ => alpha) (S k)).
    rewrite one_buffer by reflexivity. unfold Adaptor.c. set (c := - alpha * (1 - beta1)) in *.
    assert (0 <= c) by (apply Rmult_le_pos; lra). pose proof (one_slow k) as O. change (one (S k)) with 1.
    assert (c * h beta1 one k <= c * 1) by (apply Rmult_le_compat_l; lra).
    assert (beta2 * m beta1 beta2 one (fun _ => alpha) k <= beta2 * 1) by (apply Rmult_le_compat_l; lra).
    assert ((1 - beta2) * ((1 - c) * 1 + c * h beta1 one k) <= (1 - beta2) * 1) by (apply Rmult_le_compat_l; lra). lra.
  Qed.

  Theorem total_age k : sum k (age_weight alpha beta1 beta2) <= beta2 / (1 - beta2) - alpha.
  Proof.
    assert (E : sum k (age_weight alpha beta1 beta2) = lag alpha beta1 beta2 one k).
    { rewrite lag_filter by reflexivity. apply sum_ext; intros i Hi.
      destruct (k - i)%nat as [|j] eqn:D; [lia|]. simpl. ring. }
    rewrite E. unfold lag. pose proof (one_momentum k). pose proof (one_slow k).
    assert (0 <= beta2 / (1 - beta2)) by (apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]).
    assert (beta2 / (1 - beta2) * m beta1 beta2 one (fun _ => alpha) k <= beta2 / (1 - beta2) * 1)
      by (apply Rmult_le_compat_l; lra).
    assert (- alpha * h beta1 one k <= - alpha * 1) by (apply Rmult_le_compat_l; lra). lra.
  Qed.
End Age.

(** *** The theorem *)
Section Convex.
  Variable n : nat.
  Variables (f : vec -> R) (D : vec -> vec) (L : R) (star : vec).
  Hypothesis L_pos : 0 < L.
  Hypothesis convex : forall x y, f x + dot n (D x) (fun i => y i - x i) <= f y.
  Hypothesis upper : forall x y,
    f y <= f x + dot n (D x) (fun i => y i - x i) + L / 2 * sq n (fun i => y i - x i).
  Hypothesis stationary : forall i, D star i = 0.

  (** Baillon and Haddad's inequality at the minimiser, from convexity and smoothness. *)
  Lemma cocoercive x : f x - f star + / (2 * L) * sq n (D x) <= dot n (D x) (fun i => x i - star i).
  Proof.
    set (z := fun i => star i + / L * D x i).
    pose proof (convex x z) as C. pose proof (upper star z) as U.
    replace (dot n (D star) (fun i => z i - star i)) with 0 in U
      by (unfold dot; rewrite <- (sum_zero n); apply sum_ext; intros; rewrite stationary; ring).
    assert (E1 : sq n (fun i => z i - star i) = / L * / L * sq n (D x))
      by (unfold sq; rewrite <- sum_scal; apply sum_ext; intros; unfold z; ring).
    assert (E2 : dot n (D x) (fun i => z i - x i) = / L * sq n (D x) - dot n (D x) (fun i => x i - star i))
      by (unfold sq, dot; rewrite <- sum_scal, <- sum_minus; apply sum_ext; intros; unfold z; ring).
    rewrite E1 in U. rewrite E2 in C.
    assert (E3 : L / 2 * (/ L * / L * sq n (D x)) = / (2 * L) * sq n (D x)) by (field; lra).
    assert (E4 : / L * sq n (D x) = / (2 * L) * sq n (D x) + / (2 * L) * sq n (D x)) by (field; lra). lra.
  Qed.

  Variables (alpha beta1 beta2 eta : R) (x : nat -> vec) (g : nat -> vec).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (eta_pos : 0 < eta).
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
    unfold y, T. apply (virtual_iterate alpha beta1 beta2 (fun j => g j i)) with (theta := fun k => x k i).
    - apply g_0.
    - lra.
    - intros; apply step.
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
      - rewrite exchange. apply sum_ext; intros i _. unfold dot. apply sum_scal. }
    rewrite X, <- sum_scal.
    apply Rle_trans with (sum k (fun i => A i * E (S k) + A i * E (k - i)%nat)).
    - apply sum_le; intros i _. apply young.
    - rewrite sum_plus. apply Rplus_le_compat_r.
      rewrite (sum_ext k (fun i => A i * E (S k)) (fun i => E (S k) * A i)) by (intros; ring).
      rewrite sum_scal, (Rmult_comm K). apply Rmult_le_compat_l; [apply sq_nonneg|apply age].
  Qed.

  Theorem convex_average N :
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

(** With alpha <= 0 the age is b - alpha = b + |alpha|: no sum is left in the statement. *)
Theorem convex_average_exploring n f D L star alpha beta1 beta2 eta (x g : nat -> vec) N :
  0 < L -> (forall x y, f x + dot n (D x) (fun i => y i - x i) <= f y) ->
  (forall x y, f y <= f x + dot n (D x) (fun i => y i - x i) + L / 2 * sq n (fun i => y i - x i)) ->
  (forall i, D star i = 0) -> 0 <= beta1 < 1 -> 0 <= beta2 < 1 -> 0 < eta ->
  (forall i, g 0%nat i = 0) -> (forall k i, g (S k) i = D (x k) i) ->
  (forall k i, x (S k) i = x k i - eta * m beta1 beta2 (fun j => g j i) (fun _ => alpha) (S k)) ->
  alpha <= 0 -> - alpha * (1 - beta1) <= 1 ->
  eta * L * (1 + 2 * (beta2 / (1 - beta2) - alpha)) <= 1 -> (0 < N)%nat ->
  sum N (fun k => f (x k)) / INR N - f star <= sq n (fun i => x 0%nat i - star i) / (2 * eta * INR N).
Proof.
  intros HL C U St B1 B2 He g0 gS step Ha Hr Hs HN.
  pose proof (convex_average n f D L star HL C U St alpha beta1 beta2 eta x g B2 He g0 gS step
                (beta2 / (1 - beta2) - alpha)) as P.
  assert (A : forall k, sum k (fun i => Rabs (age_weight alpha beta1 beta2 i)) <= beta2 / (1 - beta2) - alpha).
  { intros k. rewrite (sum_ext k _ (age_weight alpha beta1 beta2)); [apply total_age; assumption|].
    intros i _. apply Rabs_right. pose proof (age_weight_nonneg alpha beta1 beta2 B1 B2 Ha Hr i). lra. }
  specialize (P A Hs N). rewrite sum_minus, sum_const in P.
  assert (HNR : 0 < INR N) by (apply lt_0_INR; exact HN).
  apply Rmult_le_reg_l with (2 * eta * INR N); [apply Rmult_lt_0_compat; lra|].
  replace (2 * eta * INR N * (sum N (fun k => f (x k)) / INR N - f star))
    with (2 * eta * (sum N (fun k => f (x k)) - INR N * f star)) by (field; lra).
  replace (2 * eta * INR N * (sq n (fun i => x 0%nat i - star i) / (2 * eta * INR N)))
    with (sq n (fun i => x 0%nat i - star i)) by (field; lra).
  exact P.
Qed.
