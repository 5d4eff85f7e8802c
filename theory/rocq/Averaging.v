(** ESGD as an average of gradient descent's iterates (primal averaging), and what follows without noise on smooth convex
    functions: 1 / T at a step that the age of the average does not shorten. *)
From Coq Require Import Reals Lra Lia.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters Convex.
Local Open Scope R_scope.

(** A difference of natural numbers is 0 where it would be negative: the y before the first is the start. *)
Theorem primal_averaging alpha beta1 beta2 eta (x y g : nat -> R) k :
  0 <= beta1 < 1 -> 0 <= beta2 < 1 -> g 0%nat = 0 ->
  (forall j, x (S j) = x j - eta * m beta1 beta2 g (fun _ => alpha) (S j)) ->
  y 0%nat = x 0%nat -> (forall j, y (S j) = y j - eta * g (S j)) ->
  Un_cv (fun K => sum K (fun j => weight alpha beta1 beta2 j * y (k - j)%nat)) (x k).
Proof.
  intros B1 B2 g0 step y0 yS. set (w := weight alpha beta1 beta2).
  assert (E : forall k, x k = x 0%nat + sum k (fun j => w j * (y (k - j)%nat - x 0%nat))).
  { clear k. induction k as [|k IH]; [simpl; ring|]. rewrite step, IH, momentum_filter by exact g0. fold w.
    rewrite !sum_S. replace (S k - k)%nat with 1%nat by lia. rewrite yS, y0.
    assert (F : sum k (fun j => w j * (y (S k - j)%nat - x 0%nat))
                = sum k (fun j => w j * (y (k - j)%nat - x 0%nat)) - eta * sum k (fun j => w j * g (S k - j)%nat)).
    { rewrite <- sum_scal, <- sum_minus. apply sum_ext; intros j Hj.
      replace (S k - j)%nat with (S (k - j)) by lia. rewrite yS. ring. }
    rewrite F. ring. }
  assert (Later : forall K, (k <= K)%nat ->
    sum K (fun j => w j * y (k - j)%nat) - x k = x 0%nat * (sum K w - 1)).
  { intros K HK. rewrite (E k).
    assert (R : sum K (fun j => w j * (y (k - j)%nat - x 0%nat)) = sum k (fun j => w j * (y (k - j)%nat - x 0%nat))).
    { induction HK as [|K HK IH]; [reflexivity|]. rewrite sum_S, IH. replace (k - K)%nat with 0%nat by lia. rewrite y0. ring. }
    rewrite <- R.
    assert (Q : sum K (fun j => w j * y (k - j)%nat) = sum K (fun j => w j * (y (k - j)%nat - x 0%nat)) + x 0%nat * sum K w).
    { rewrite <- sum_scal, <- sum_plus. apply sum_ext; intros; ring. }
    rewrite Q. ring. }
  destruct (mean_age alpha beta1 beta2 B1 B2) as [One _]. fold w in One. intros eps He.
  assert (P : 0 < eps / (Rabs (x 0%nat) + 1)) by (apply Rdiv_lt_0_compat; [exact He|]; pose proof (Rabs_pos (x 0%nat)); lra).
  destruct (One _ P) as [K0 H0]. exists (max K0 k). intros K HK. unfold R_dist in *.
  rewrite Later, Rabs_mult by lia. specialize (H0 K ltac:(lia)). pose proof (Rabs_pos (x 0%nat)).
  pose proof (Rabs_pos (sum K w - 1)).
  apply Rle_lt_trans with ((Rabs (x 0%nat) + 1) * Rabs (sum K w - 1)); [nra|].
  replace eps with ((Rabs (x 0%nat) + 1) * (eps / (Rabs (x 0%nat) + 1))) by (field; lra). apply Rmult_lt_compat_l; lra.
Qed.

(** Averages of vectors have no more energy than what they average. *)
Lemma average_energy n beta (a z : nat -> vec) T : 0 <= beta < 1 -> (forall i, a 0%nat i = 0) ->
  (forall k i, a (S k) i = beta * a k i + (1 - beta) * z (S k) i) ->
  sum T (fun k => sq n (a (S k))) <= sum T (fun k => sq n (z (S k))).
Proof.
  intros B a0 aS.
  assert (K : sum T (fun k => sq n (a (S k))) + beta / (1 - beta) * sq n (a T) <= sum T (fun k => sq n (z (S k)))).
  { induction T as [|T IH].
    - simpl. replace (sq n (a 0%nat)) with 0; [lra|]. symmetry. unfold sq. rewrite (sum_ext n _ (fun _ => 0)); [apply sum_zero|].
      intros. rewrite a0. ring.
    - rewrite !sum_S. pose proof (lemma_7_path n beta (a T) (z (S T)) ltac:(lra)) as C.
      rewrite (sq_ext n _ (a (S T))) in C by (intros; symmetry; apply aS).
      assert (P : 0 <= / (1 - beta)) by (apply inverse_nonneg; lra). apply (Rmult_le_compat_l (/ (1 - beta))) in C; [|exact P].
      replace (/ (1 - beta) * (beta * sq n (a T) + (1 - beta) * sq n (z (S T))))
        with (beta / (1 - beta) * sq n (a T) + sq n (z (S T))) in C by (field; lra).
      replace (/ (1 - beta) * sq n (a (S T))) with (sq n (a (S T)) + beta / (1 - beta) * sq n (a (S T))) in C by (field; lra).
      lra. }
  assert (0 <= beta / (1 - beta) * sq n (a T)) by (apply Rmult_le_pos; [apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]|apply sq_nonneg]).
  lra.
Qed.

(** The same without the last one. *)
Lemma energy_before n (a : nat -> vec) T : (forall i, a 0%nat i = 0) ->
  sum T (fun k => sq n (a k)) <= sum T (fun k => sq n (a (S k))).
Proof.
  intros a0. pose proof (sum_telescope T (fun k => sq n (a k))) as Te. rewrite sum_minus in Te. pose proof (sq_nonneg n (a T)).
  replace (sq n (a 0%nat)) with 0 in Te; [lra|]. unfold sq. rewrite (sum_ext n _ (fun _ => 0)); [symmetry; apply sum_zero|].
  intros. rewrite a0. ring.
Qed.

Section Smooth.
  Variable n : nat.
  Variables (f : vec -> R) (D : vec -> vec) (L : R) (star : vec).
  Hypotheses (L_pos : 0 < L) (f_smooth : smooth n f D L) (f_convex : convex f) (star_is : minimiser f star).
  Variables (alpha beta1 beta2 eta : R) (x g : nat -> vec).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (eta_pos : 0 < eta).
  Hypothesis g_0 : forall i, g 0%nat i = 0.
  Hypothesis g_S : forall k i, g (S k) i = D (x k) i.
  Hypothesis step : forall k i, x (S k) i = x k i - eta * m beta1 beta2 (fun j => g j i) (fun _ => alpha) (S k).
  Let M k : vec := fun i => m beta1 beta2 (fun j => g j i) (fun _ => alpha) k.
  Let H k : vec := fun i => h beta1 (fun j => g j i) k.
  Let T k : vec := fun i => lag alpha beta1 beta2 (fun j => g j i) k.
  Let y k : vec := fun i => x k i - eta * T k i.
  Let F k := f (x k) - f star.
  Let E N := sum N (fun k => sq n (g (S k))).
  Let c := - alpha * (1 - beta1).
  Let b := beta2 / (1 - beta2).
  Let D2 := sq n (fun i => x 0%nat i - star i).

  Lemma gap_nonneg k : 0 <= F k.
  Proof. pose proof (star_is (x k)). unfold F. lra. Qed.

  Lemma gradient_is k v : dot n (D (x k)) v = dot n (g (S k)) v.
  Proof. unfold dot. apply sum_ext; intros. rewrite g_S. reflexivity. Qed.

  (** The distance of the virtual iterate, summed. *)
  Lemma distances N :
    2 * eta * sum N F + eta / L * E N
    <= D2 + eta * eta * (2 * sum N (fun k => dot n (g (S k)) (T k))) + eta * eta * E N.
  Proof.
    assert (Z : sum N (fun k => sq n (fun i => y k i - star i) - sq n (fun i => y (S k) i - star i)) <= D2).
    { rewrite (sum_ext N _ (fun k => - 1 * (sq n (fun i => y (S k) i - star i) - sq n (fun i => y k i - star i)))) by (intros; ring).
      rewrite sum_scal, (sum_telescope N (fun k => sq n (fun i => y k i - star i))).
      pose proof (sq_nonneg n (fun i => y N i - star i)).
      replace (sq n (fun i => y 0%nat i - star i)) with D2; [lra|]. unfold D2, sq. apply sum_ext; intros i _.
      unfold y, T, lag. simpl. ring. }
    apply Rle_trans with (sum N (fun k => sq n (fun i => y k i - star i) - sq n (fun i => y (S k) i - star i))
      + eta * eta * (2 * sum N (fun k => dot n (g (S k)) (T k))) + eta * eta * E N); [|lra].
    unfold E. rewrite <- !sum_scal, <- !sum_plus. apply sum_le; intros k _.
    pose proof (distance n star alpha beta1 beta2 eta x g B2 g_0 step k) as Ds. fold (T k) (T (S k)) in Ds.
    change (sq n (fun i => y (S k) i - star i) = sq n (fun i => y k i - star i)
      - 2 * eta * dot n (g (S k)) (fun i => x k i - star i)
      + (eta * eta * (2 * dot n (g (S k)) (T k)) + eta * eta * sq n (g (S k)))) in Ds.
    pose proof (cocoercive n f D L star L_pos f_smooth f_convex star_is (x k)) as C. rewrite gradient_is in C.
    rewrite (sq_ext n (D (x k)) (g (S k))) in C by (intros; symmetry; apply g_S).
    apply (Rmult_le_compat_l (2 * eta)) in C; [|lra].
    replace (2 * eta * (f (x k) - f star + / (2 * L) * sq n (g (S k)))) with (2 * eta * F k + eta / L * sq n (g (S k))) in C
      by (unfold F; field; lra).
    lra.
  Qed.

  (** *** The energies of the averages *)
  Lemma slow_energy N : sum N (fun k => sq n (H k)) <= E N.
  Proof.
    eapply Rle_trans; [apply energy_before; reflexivity|]. apply (average_energy n beta1 H g N B1); reflexivity.
  Qed.

  Lemma momentum_energy N : 0 <= c <= 1 -> sum N (fun k => sq n (M (S k))) <= E N.
  Proof.
    intros Hc. set (U := fun k i => u beta1 (fun j => g j i) (fun _ => alpha) k).
    eapply Rle_trans; [apply (average_energy n beta2 M U N B2); reflexivity|].
    apply Rle_trans with (sum N (fun k => c * sq n (H k) + (1 - c) * sq n (g (S k)))).
    - apply sum_le; intros k _. rewrite (sq_ext n (U (S k)) (fun i => c * H k i + (1 - c) * g (S k) i)).
      + apply lemma_7_path. exact Hc.
      + intros i _. unfold U. rewrite one_buffer by apply g_0. unfold Adaptor.c, H. fold c. ring.
    - rewrite sum_plus, !sum_scal. fold (E N). pose proof (slow_energy N) as S1. apply (Rmult_le_compat_l c) in S1; lra.
  Qed.

  Lemma momentum_energy_before N : 0 <= c <= 1 -> sum N (fun k => sq n (M k)) <= E N.
  Proof. intros Hc. eapply Rle_trans; [apply energy_before; reflexivity|apply momentum_energy; exact Hc]. Qed.

  (** The gaps one step earlier telescope. *)
  Lemma gaps_before N : sum N (fun k => F k - F (pred k)) = F (pred N) - F 0%nat.
  Proof. induction N as [|N IH]; [simpl; ring|]. rewrite sum_S, IH. simpl. ring. Qed.

  Lemma moved_to k : dot n (g (S k)) (fun i => x (S k) i - x k i) = - eta * dot n (g (S k)) (M (S k)).
  Proof. unfold dot. rewrite <- sum_scal. apply sum_ext; intros i _. rewrite step. unfold M. ring. Qed.

  Lemma moved_from k i : x (pred k) i - x k i = eta * M k i.
  Proof. destruct k as [|k]; [unfold M; simpl; ring|]. simpl pred. rewrite step. unfold M. ring. Qed.

  (** *** Any alpha *)
  Theorem convex_any_alpha N : eta * L * (1 + 2 * Rabs alpha) <= 1 ->
    sum N F <= D2 / (2 * eta) + b * (f (x 0%nat) - f star).
  Proof.
    intros Hs. pose proof (distances N) as Ds. pose proof (slow_energy N) as Se.
    assert (b0 : 0 <= b) by (apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]).
    assert (E0 : 0 <= E N) by (apply sum_nonneg; intros; apply sq_nonneg).
    assert (C : eta * (2 * sum N (fun k => dot n (g (S k)) (T k))) <= 2 * (b * (F 0%nat - F (pred N))) + eta * (Rabs alpha * (E N + E N))).
    { apply Rle_trans with (sum N (fun k => - 2 * b * (F k - F (pred k)) + eta * (Rabs alpha * sq n (g (S k)) + Rabs alpha * sq n (H k)))).
      - rewrite <- !sum_scal. apply sum_le; intros k _.
        pose proof (convex_tangent n f D (proj1 f_smooth) f_convex (x k) (x (pred k))) as Ct. rewrite gradient_is in Ct.
        assert (Em : dot n (g (S k)) (fun i => x (pred k) i - x k i) = eta * dot n (g (S k)) (M k))
          by (unfold dot; rewrite <- sum_scal; apply sum_ext; intros; rewrite moved_from; ring).
        rewrite Em in Ct. pose proof (young n (- alpha) (g (S k)) (H k)) as Yg. rewrite Rabs_Ropp in Yg.
        assert (Et : dot n (g (S k)) (T k) = b * dot n (g (S k)) (M k) + - alpha * dot n (g (S k)) (H k)).
        { unfold dot. rewrite <- !sum_scal, <- sum_plus. apply sum_ext; intros. unfold T, lag, M, H, b. ring. }
        rewrite Et. apply (Rmult_le_compat_l eta) in Yg; [|lra].
        assert (b * (eta * dot n (g (S k)) (M k)) <= b * (F (pred k) - F k)) by (apply Rmult_le_compat_l; [exact b0|unfold F; lra]).
        lra.
      - rewrite sum_plus, !sum_scal, gaps_before, sum_plus, !sum_scal. fold (E N). pose proof (Rabs_pos alpha).
        apply (Rmult_le_compat_l (Rabs alpha)) in Se; [|assumption]. apply (Rmult_le_compat_l eta) in Se; lra. }
    apply (Rmult_le_compat_l eta) in C; [|lra].
    assert (Last : 0 <= b * F (pred N)) by (apply Rmult_le_pos; [exact b0|apply gap_nonneg]).
    assert (Le : eta * eta * E N + eta * (eta * (Rabs alpha * (E N + E N))) <= eta / L * E N).
    { replace (eta * eta * E N + eta * (eta * (Rabs alpha * (E N + E N)))) with (eta / L * (eta * L * (1 + 2 * Rabs alpha)) * E N)
        by (field; lra).
      apply Rmult_le_compat_r; [exact E0|]. rewrite <- (Rmult_1_r (eta / L)) at 2. apply Rmult_le_compat_l; [|exact Hs].
      apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]. }
    apply (Rmult_le_compat_l eta) in Last; [|lra].
    apply Rmult_le_reg_l with (2 * eta); [lra|].
    replace (2 * eta * (D2 / (2 * eta) + b * (f (x 0%nat) - f star))) with (D2 + 2 * eta * (b * F 0%nat)) by (unfold F; field; lra).
    lra.
  Qed.

  (** *** 0 <= c < 1 *)
  Section Mixing.
    Hypotheses (c_is : 0 <= c < 1) (step_1 : eta * L <= 1).
    Hypothesis step_2 : eta * L * (1 + beta1 * beta2) <= 2 * (1 - c) * (1 - beta2).
    Let P := / ((1 - beta1) * (1 - beta2)).
    Let Q := beta1 * beta2 * P.

    Lemma cross_term k : dot n (g (S k)) (T k)
      = P * dot n (g (S k)) (M (S k)) - Q * dot n (g (S k)) (M k) - (1 - c) / (1 - beta1) * sq n (g (S k)).
    Proof.
      unfold dot, sq. rewrite <- !sum_scal, <- !sum_minus. apply sum_ext; intros i _.
      assert (Em : M (S k) i = beta2 * M k i + (1 - beta2) * ((1 - c) * g (S k) i + c * H k i)).
      { unfold M, H. change (m beta1 beta2 (fun j => g j i) (fun _ => alpha) (S k))
          with (beta2 * m beta1 beta2 (fun j => g j i) (fun _ => alpha) k + (1 - beta2) * u beta1 (fun j => g j i) (fun _ => alpha) (S k)).
        rewrite one_buffer by apply g_0. reflexivity. }
      rewrite Em. unfold T, lag. fold (M k i) (H k i). replace alpha with (- (c / (1 - beta1))) at 1 by (unfold c; field; lra).
      unfold P, Q, P. field. lra.
    Qed.

    Lemma P_pos : 0 < P.
    Proof. apply Rinv_0_lt_compat, Rmult_lt_0_compat; lra. Qed.

    Lemma Q_nonneg : 0 <= Q.
    Proof. pose proof P_pos. unfold Q. apply Rmult_le_pos; [apply Rmult_le_pos|]; lra. Qed.

    Lemma below_P : beta1 * beta2 < 1.
    Proof. apply Rle_lt_trans with (1 * beta2); [apply Rmult_le_compat_r|]; lra. Qed.

    Lemma gaps N : sum N F + P * F N <= D2 / (2 * eta) + (P - Q) * F 0%nat + Q * F (pred N).
    Proof.
      pose proof P_pos as P0. pose proof Q_nonneg as Q0. pose proof (distances N) as Ds.
      assert (E0 : 0 <= E N) by (apply sum_nonneg; intros; apply sq_nonneg).
      pose proof (momentum_energy N ltac:(lra)) as M1. pose proof (momentum_energy_before N ltac:(lra)) as M2.
      assert (C : eta * sum N (fun k => dot n (g (S k)) (T k))
                  <= P * (F 0%nat - F N) + Q * (F (pred N) - F 0%nat)
                     + ((P + Q) * (L / 2 * (eta * eta)) - eta * ((1 - c) / (1 - beta1))) * E N).
      { apply Rle_trans with (sum N (fun k => - P * (F (S k) - F k) + (Q * (F k - F (pred k))
          + (P * (L / 2 * (eta * eta)) * sq n (M (S k)) + (Q * (L / 2 * (eta * eta)) * sq n (M k)
          + - (eta * ((1 - c) / (1 - beta1))) * sq n (g (S k))))))).
        - rewrite <- sum_scal. apply sum_le; intros k _. rewrite cross_term.
          pose proof (smooth_upper n f D L f_smooth (x k) (x (S k))) as U1. rewrite gradient_is, moved_to in U1.
          rewrite (sq_ext n (fun i => x (S k) i - x k i) (fun i => - eta * M (S k) i)) in U1
            by (intros; rewrite step; unfold M; ring).
          pose proof (smooth_upper n f D L f_smooth (x k) (x (pred k))) as U2. rewrite gradient_is in U2.
          assert (Em : dot n (g (S k)) (fun i => x (pred k) i - x k i) = eta * dot n (g (S k)) (M k))
            by (unfold dot; rewrite <- sum_scal; apply sum_ext; intros; rewrite moved_from; ring).
          rewrite Em, (sq_ext n (fun i => x (pred k) i - x k i) (fun i => eta * M k i)) in U2 by (intros; apply moved_from).
          rewrite sq_scaled in U1, U2.
          assert (V1 : P * (eta * dot n (g (S k)) (M (S k))) <= P * (F k - F (S k) + L / 2 * (eta * eta) * sq n (M (S k))))
            by (apply Rmult_le_compat_l; [lra|unfold F; lra]).
          assert (V2 : Q * (- (eta * dot n (g (S k)) (M k))) <= Q * (F k - F (pred k) + L / 2 * (eta * eta) * sq n (M k)))
            by (apply Rmult_le_compat_l; [lra|unfold F; lra]).
          lra.
        - rewrite !sum_plus, !sum_scal, gaps_before, (sum_telescope N F). fold (E N).
          assert (W0 : 0 <= L / 2 * (eta * eta)) by nra.
          apply (Rmult_le_compat_l (P * (L / 2 * (eta * eta)))) in M1; [|apply Rmult_le_pos; lra].
          apply (Rmult_le_compat_l (Q * (L / 2 * (eta * eta)))) in M2; [|apply Rmult_le_pos; lra]. lra. }
      assert (Neg : (P + Q) * (L / 2 * (eta * eta)) - eta * ((1 - c) / (1 - beta1)) <= 0).
      { replace ((P + Q) * (L / 2 * (eta * eta)) - eta * ((1 - c) / (1 - beta1)))
          with (eta / 2 * P * (eta * L * (1 + beta1 * beta2) - 2 * (1 - c) * (1 - beta2))) by (unfold Q, P; field; lra).
        assert (0 <= eta / 2 * P * (2 * (1 - c) * (1 - beta2) - eta * L * (1 + beta1 * beta2)))
          by (apply Rmult_le_pos; [apply Rmult_le_pos|]; lra). lra. }
      assert (Neg' : 0 <= (eta * ((1 - c) / (1 - beta1)) - (P + Q) * (L / 2 * (eta * eta))) * E N)
        by (apply Rmult_le_pos; lra).
      assert (St : eta * eta * E N <= eta / L * E N).
      { apply Rmult_le_compat_r; [exact E0|]. replace (eta * eta) with (eta / L * (eta * L)) by (field; lra).
        rewrite <- (Rmult_1_r (eta / L)) at 2. apply Rmult_le_compat_l; [apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]|exact step_1]. }
      apply (Rmult_le_compat_l (2 * eta)) in C; [|lra]. apply (Rmult_le_compat_l (2 * eta)) in Neg'; [|lra].
      apply Rmult_le_reg_l with (2 * eta); [lra|].
      replace (2 * eta * (D2 / (2 * eta) + (P - Q) * F 0%nat + Q * F (pred N)))
        with (D2 + 2 * eta * ((P - Q) * F 0%nat + Q * F (pred N))) by (field; lra). lra.
    Qed.

    Let most := f (x 0%nat) - f star + D2 * ((1 - beta1) * (1 - beta2)) / (2 * eta * (1 - beta1 * beta2)).

    Lemma most_is : (P - Q) * most = D2 / (2 * eta) + (P - Q) * F 0%nat.
    Proof. pose proof below_P. unfold most, F, Q, P. field. repeat split; lra. Qed.

    Theorem every_gap k : f (x k) - f star <= most.
    Proof.
      pose proof P_pos as P0. pose proof Q_nonneg as Q0. pose proof below_P as Lt.
      assert (PQ : 0 < P - Q) by (replace (P - Q) with (P * (1 - beta1 * beta2)) by (unfold Q; ring); apply Rmult_lt_0_compat; lra).
      assert (D0 : 0 <= D2 / (2 * eta)) by (apply Rmult_le_pos; [apply sq_nonneg|apply inverse_nonneg; lra]).
      change (F k <= most). pose proof most_is as Mi. induction k as [|k IH].
      - apply Rmult_le_reg_l with (P - Q); [exact PQ|]. lra.
      - pose proof (gaps (S k)) as G. simpl pred in G.
        assert (S0 : 0 <= sum (S k) F) by (apply sum_nonneg; intros; apply gap_nonneg).
        apply (Rmult_le_compat_l Q) in IH; [|exact Q0]. apply Rmult_le_reg_l with P; [exact P0|]. lra.
    Qed.

    Theorem convex_mixing N :
      sum N F <= D2 / (2 * eta * (1 - beta1 * beta2)) + (f (x 0%nat) - f star) / ((1 - beta1) * (1 - beta2)).
    Proof.
      pose proof P_pos as P0. pose proof Q_nonneg as Q0. pose proof below_P as Lt. pose proof (gaps N) as G.
      pose proof (every_gap (pred N)) as Last. change (F (pred N) <= most) in Last.
      apply (Rmult_le_compat_l Q) in Last; [|exact Q0].
      assert (0 <= P * F N) by (apply Rmult_le_pos; [lra|apply gap_nonneg]).
      assert (Ee : D2 / (2 * eta) + (P - Q) * F 0%nat + Q * most
        = D2 / (2 * eta * (1 - beta1 * beta2)) + (f (x 0%nat) - f star) / ((1 - beta1) * (1 - beta2)))
        by (unfold most, F, Q, P; field; repeat split; lra).
      lra.
    Qed.
  End Mixing.
End Smooth.

(** *** A schedule whose last iterate converges, without smoothness: beta1_k = (k - 1) / (k + 1) at c_k = beta1_k, where u is
    h, that is alpha_k = - (k - 1) / 2. The iterates are then the plain means of y. Steps are counted from 0 here. *)
Section LastIterate.
  Variables (n : nat) (f : vec -> R) (star : vec) (eta G : R) (x h g : nat -> vec).
  Hypotheses (eta_pos : 0 < eta) (h_0 : forall i, h 0%nat i = 0).
  Hypothesis subgradient : forall k z, f (x k) + dot n (g k) (fun i => z i - x k i) <= f z.
  Hypothesis bounded : forall k, sq n (g k) <= G * G.
  Let beta k := INR k / (INR k + 2).
  Hypothesis h_S : forall k i, h (S k) i = beta k * h k i + (1 - beta k) * g k i.
  Hypothesis step : forall k i, x (S k) i = x k i - eta / 2 * h (S k) i.
  Let y k : vec := fun i => x k i - INR k * (eta / 2 * h k i).
  Let F k := f (x k) - f star.

  Lemma descends k i : y (S k) i = y k i - eta * g k i.
  Proof. unfold y. rewrite step, h_S, S_INR. unfold beta. pose proof (pos_INR k). field. lra. Qed.

  Lemma before_it k i : INR k * (x (pred k) i - x k i) = INR k * (eta / 2 * h k i).
  Proof. destruct k as [|k]; [simpl; ring|]. simpl pred. rewrite step. ring. Qed.

  Lemma weighted_gap k :
    INR (S k) * F k - INR k * F (pred k) <= dot n (g k) (fun i => y k i - star i).
  Proof.
    pose proof (subgradient k star) as A. pose proof (subgradient k (x (pred k))) as B.
    apply (Rmult_le_compat_l (INR k)) in B; [|apply pos_INR].
    assert (E : dot n (g k) (fun i => y k i - star i)
                = - dot n (g k) (fun i => star i - x k i) - INR k * dot n (g k) (fun i => x (pred k) i - x k i)).
    { unfold dot. rewrite <- sum_scal.
      assert (Z : sum n (fun i => g k i * (y k i - star i)) + (sum n (fun i => g k i * (star i - x k i))
                  + sum n (fun i => INR k * (g k i * (x (pred k) i - x k i)))) = 0); [|lra].
      rewrite <- !sum_plus, (sum_ext n _ (fun _ => 0)); [apply sum_zero|]. intros i _. unfold y.
      replace (INR k * (g k i * (x (pred k) i - x k i))) with (g k i * (INR k * (x (pred k) i - x k i))) by ring.
      rewrite before_it. ring. }
    rewrite E, S_INR. unfold F. lra.
  Qed.

  Theorem last_iterate T : f (x T) - f star <= sq n (fun i => x 0%nat i - star i) / (2 * eta * INR (S T)) + eta * (G * G) / 2.
  Proof.
    set (N := S T). set (Z := fun k => sq n (fun i => y k i - star i)).
    assert (One : forall k, Z (S k) - Z k <= - (2 * eta) * (INR (S k) * F k - INR k * F (pred k)) + eta * eta * (G * G)).
    { intros k. unfold Z. rewrite (sq_ext n (fun i => y (S k) i - star i) (fun i => (y k i - star i) + - eta * g k i))
        by (intros; rewrite descends; ring).
      rewrite sq_sum, sq_scaled, (dot_comm n (fun i => y k i - star i)), dot_scaled. pose proof (weighted_gap k) as Wg.
      apply (Rmult_le_compat_l (2 * eta)) in Wg; [|lra]. pose proof (bounded k) as Bd.
      apply (Rmult_le_compat_l (eta * eta)) in Bd; [|apply square_nonneg]. lra. }
    assert (Tel : Z N - Z 0%nat <= - (2 * eta) * (INR N * F T) + INR N * (eta * eta * (G * G))).
    { rewrite <- (sum_telescope N Z). eapply Rle_trans; [apply sum_le; intros k _; apply One|].
      rewrite sum_plus, sum_scal, sum_const. apply Req_le. f_equal. f_equal. unfold N.
      clear. induction T as [|T IH]; [simpl; ring|]. rewrite sum_S, IH. simpl pred. ring. }
    assert (Z0 : Z 0%nat = sq n (fun i => x 0%nat i - star i)) by (unfold Z, y; apply sq_ext; intros; simpl; ring).
    assert (HN : 0 < INR N) by (apply lt_0_INR; unfold N; lia). pose proof (sq_nonneg n (fun i => y N i - star i)) as ZN.
    fold (Z N) in ZN. apply Rmult_le_reg_l with (2 * eta * INR N); [apply Rmult_lt_0_compat; lra|]. fold (F T).
    replace (2 * eta * INR N * (sq n (fun i => x 0%nat i - star i) / (2 * eta * INR N) + eta * (G * G) / 2))
      with (Z 0%nat + INR N * (eta * eta * (G * G))) by (rewrite Z0; field; lra). lra.
  Qed.
End LastIterate.

(** The step of that schedule is E's: c = beta1, so that u is the slow average after the step. *)
Lemma schedule_is_E k g h : let beta1 := INR k / (INR k + 2) in let alpha := - (INR k / 2) in let c := - alpha * (1 - beta1) in
  c = beta1 /\ (1 - c) * g + c * h = beta1 * h + (1 - beta1) * g /\ Rabs alpha < 1 / (1 - beta1).
Proof.
  intros beta1 alpha c. pose proof (pos_INR k) as P. assert (E : c = beta1) by (unfold c, alpha, beta1; field; lra).
  split; [exact E|split; [rewrite E; ring|]]. unfold alpha. rewrite Rabs_Ropp, Rabs_right by lra.
  replace (1 / (1 - beta1)) with (INR k / 2 + 1) by (unfold beta1; field; lra). lra.
Qed.
