(** E with momentum as a filter of the gradients: its weights, their sum, their mean age, and a constant gradient. *)
From Coq Require Import Reals Lra Lia.
From Proofs Require Import Sums Vectors Adaptor.
Local Open Scope R_scope.

(** A constant gradient, from step 1 on. *)
Definition one (k : nat) : R := match k with O => 0 | S _ => 1 end.

Lemma slow_one beta1 k : h beta1 one k = 1 - beta1 ^ k.
Proof. induction k; simpl; [ring|]. rewrite IHk. ring. Qed.

(** k r^k tends to 0 faster than r^k grows small. *)
Lemma linear_times_power r k : 0 <= r < 1 -> INR k * r ^ k * (1 - r) <= 1 - r ^ k.
Proof.
  intros Hr. induction k as [|k IH]; [simpl; lra|]. rewrite S_INR. simpl pow.
  assert (P : 0 <= r ^ k <= 1) by (split; [apply pow_le; lra|rewrite <- (pow1 k); apply pow_incr; lra]).
  assert (Q : r * (INR k * r ^ k * (1 - r)) <= r * (1 - r ^ k)) by (apply Rmult_le_compat_l; lra).
  assert (0 <= (1 - r) * (1 - r * r ^ k)) by (apply Rmult_le_pos; nra). nra.
Qed.

Section Filter.
  Variables (alpha beta1 beta2 : R).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1).
  Let c := - alpha * (1 - beta1).
  Let b := beta2 / (1 - beta2).
  Let constant := fun _ : nat => alpha.

  (** w_i: the weight of g_(k-i) in m_k. With beta2 = 0 it is the weight in u_k. *)
  Fixpoint weight (i : nat) : R :=
    match i with
    | O => (1 - beta2) * (1 - c)
    | S j => beta2 * weight j + (1 - beta2) * (c * ((1 - beta1) * beta1 ^ j))
    end.
  (** t_i: its weight in T_k = b m_k - alpha h_k. *)
  Definition age_weight (i : nat) : R := b * weight i + c * beta1 ^ i.

  Section Sequence.
    Variable g : nat -> R.
    Hypothesis g0 : g 0%nat = 0.

    Lemma slow_filter k : h beta1 g k = sum k (fun i => (1 - beta1) * beta1 ^ i * g (k - i)%nat).
    Proof.
      induction k as [|k IH]; [reflexivity|]. rewrite sum_first. simpl h. rewrite IH, <- sum_scal.
      rewrite pow_O, Nat.sub_0_r, Rplus_comm. f_equal; [ring|].
      apply sum_ext; intros i _. rewrite Nat.sub_succ. simpl. ring.
    Qed.

    Lemma momentum_filter k : m beta1 beta2 g constant k = sum k (fun i => weight i * g (k - i)%nat).
    Proof.
      induction k as [|k IH]; [reflexivity|]. rewrite sum_first.
      change (m beta1 beta2 g constant (S k)) with (beta2 * m beta1 beta2 g constant k + (1 - beta2) * u beta1 g constant (S k)).
      rewrite one_buffer by exact g0. unfold Adaptor.c, constant. fold c. fold constant. rewrite IH, slow_filter, <- !sum_scal.
      rewrite (sum_ext k (fun i => weight (S i) * g (S k - S i)%nat)
                 (fun i => beta2 * (weight i * g (k - i)%nat)
                           + (1 - beta2) * (c * ((1 - beta1) * beta1 ^ i * g (k - i)%nat)))).
      - rewrite sum_plus, !sum_scal. simpl weight. rewrite Nat.sub_0_r. ring.
      - intros i _. rewrite Nat.sub_succ. simpl. ring.
    Qed.

    Lemma lag_filter k : lag alpha beta1 beta2 g k = sum k (fun i => age_weight i * g (k - i)%nat).
    Proof.
      unfold lag. fold constant. rewrite momentum_filter, slow_filter, <- !sum_scal, <- sum_minus.
      apply sum_ext; intros i _. unfold age_weight, b, c. ring.
    Qed.

    Lemma filter_bounded (p : nat -> R) G K k : (forall j, Rabs (g j) <= G) -> (forall k, sum k (fun i => Rabs (p i)) <= K) ->
      Rabs (sum k (fun i => p i * g (k - i)%nat)) <= K * G.
    Proof.
      intros HG HK. eapply Rle_trans; [apply sum_abs|].
      assert (G0 : 0 <= G) by (eapply Rle_trans; [apply Rabs_pos|apply (HG 0%nat)]).
      eapply Rle_trans; [|apply Rmult_le_compat_r; [exact G0|apply (HK k)]].
      rewrite (Rmult_comm _ G), <- sum_scal. apply sum_le; intros i _. rewrite Rabs_mult, Rmult_comm.
      apply Rmult_le_compat_r; [apply Rabs_pos|apply HG].
    Qed.
  End Sequence.

  (** *** The sums of the weights *)
  Lemma power_bounds i : 0 <= beta1 ^ i <= 1.
  Proof. split; [apply pow_le; lra|]. rewrite <- (pow1 i). apply pow_incr; lra. Qed.

  Lemma weights_sum k : sum k weight = m beta1 beta2 one constant k.
  Proof.
    rewrite momentum_filter by reflexivity. apply sum_ext; intros i Hi.
    destruct (k - i)%nat as [|j] eqn:D; [lia|]. simpl. ring.
  Qed.

  (** kappa_m, the sum of the |w_i|, is at most kappa = |1 - c| + |c|. *)
  Theorem kappa_m_at_most_kappa k : sum k (fun i => Rabs (weight i)) <= Rabs (1 - c) + Rabs c.
  Proof.
    pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c).
    induction k as [|k IH]; [simpl; lra|]. rewrite sum_first.
    assert (E : sum k (fun i => Rabs (weight (S i)))
                <= beta2 * sum k (fun i => Rabs (weight i)) + (1 - beta2) * Rabs c * sum k (fun i => (1 - beta1) * beta1 ^ i)).
    { rewrite <- !sum_scal, <- sum_plus. apply sum_le; intros i _. simpl. pose proof (power_bounds i).
      eapply Rle_trans; [apply Rabs_triang|].
      rewrite !Rabs_mult, (Rabs_right beta2), (Rabs_right (1 - beta2)), (Rabs_right (1 - beta1)), (Rabs_right (beta1 ^ i)) by lra. lra. }
    assert (F : sum k (fun i => (1 - beta1) * beta1 ^ i) <= 1).
    { replace (sum k _) with (1 - beta1 ^ k); [pose proof (power_bounds k); lra|].
      clear. induction k; simpl; [ring|]. rewrite <- IHk. ring. }
    change (weight 0) with ((1 - beta2) * (1 - c)). rewrite Rabs_mult, (Rabs_right (1 - beta2)) by lra.
    assert (beta2 * sum k (fun i => Rabs (weight i)) <= beta2 * (Rabs (1 - c) + Rabs c)) by (apply Rmult_le_compat_l; lra).
    assert ((1 - beta2) * Rabs c * sum k (fun i => (1 - beta1) * beta1 ^ i) <= (1 - beta2) * Rabs c * 1)
      by (apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|exact F]). lra.
  Qed.

  (** With alpha <= 0 no weight is negative, and the total age is at most b - alpha. *)
  Section Exploring.
    Hypotheses (explore : alpha <= 0) (region : c <= 1).

    Lemma weight_nonneg i : 0 <= weight i.
    Proof.
      assert (0 <= c) by (apply Rmult_le_pos; lra).
      induction i as [|i IH]; simpl.
      - apply Rmult_le_pos; lra.
      - pose proof (power_bounds i).
        apply Rplus_le_le_0_compat; [apply Rmult_le_pos; lra|].
        apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; lra.
    Qed.

    Lemma age_weight_nonneg i : 0 <= age_weight i.
    Proof.
      unfold age_weight. pose proof (weight_nonneg i). pose proof (power_bounds i).
      assert (0 <= b) by (apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]).
      assert (0 <= c) by (apply Rmult_le_pos; lra).
      apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra.
    Qed.

    Lemma momentum_at_most_one k : m beta1 beta2 one constant k <= 1.
    Proof.
      induction k as [|k IH]; [simpl; lra|].
      change (m beta1 beta2 one constant (S k)) with (beta2 * m beta1 beta2 one constant k + (1 - beta2) * u beta1 one constant (S k)).
      rewrite one_buffer, slow_one by reflexivity. unfold Adaptor.c, constant. fold c. fold constant. simpl (one (S k)).
      pose proof (power_bounds k). assert (0 <= c) by (apply Rmult_le_pos; lra).
      assert (beta2 * m beta1 beta2 one constant k <= beta2 * 1) by (apply Rmult_le_compat_l; lra).
      assert ((1 - beta2) * ((1 - c) * 1 + c * (1 - beta1 ^ k)) <= (1 - beta2) * 1) by (apply Rmult_le_compat_l; nra). lra.
    Qed.

    Theorem total_age k : sum k (fun i => Rabs (age_weight i)) <= b - alpha.
    Proof.
      assert (E : sum k (fun i => Rabs (age_weight i)) = lag alpha beta1 beta2 one k).
      { rewrite lag_filter by reflexivity. apply sum_ext; intros i Hi.
        rewrite Rabs_right by (apply Rle_ge, age_weight_nonneg).
        destruct (k - i)%nat as [|j] eqn:D; [lia|]. simpl. ring. }
      rewrite E. unfold lag. fold constant b. rewrite slow_one. pose proof (momentum_at_most_one k). pose proof (power_bounds k).
      assert (0 <= b) by (apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]).
      assert (b * m beta1 beta2 one constant k <= b * 1) by (apply Rmult_le_compat_l; lra).
      assert (- alpha * (1 - beta1 ^ k) <= - alpha * 1) by (apply Rmult_le_compat_l; lra). lra.
    Qed.
  End Exploring.

  (** *** The mean age of the weights: b - alpha steps, so that E adds -alpha *)
  Let M := m beta1 beta2 one constant.
  Let q := (1 + Rmax beta1 beta2) / 2.
  Let B := Rabs alpha * (1 - beta1).
  Let C := 1 + B / (q - beta2).

  Lemma q_bounds : beta1 < q /\ beta2 < q /\ 0 < q < 1.
  Proof. unfold q. pose proof (Rmax_l beta1 beta2). pose proof (Rmax_r beta1 beta2).
         assert (Rmax beta1 beta2 < 1) by (apply Rmax_lub_lt; lra). lra. Qed.

  Lemma C_bound : 0 <= B /\ 1 <= C.
  Proof.
    destruct q_bounds as (Q1 & Q2 & Q3). assert (0 <= B) by (apply Rmult_le_pos; [apply Rabs_pos|lra]). split; [assumption|].
    unfold C. assert (0 <= B / (q - beta2)) by (apply Rmult_le_pos; [assumption|apply inverse_nonneg; lra]). lra.
  Qed.

  Lemma momentum_one k : Rabs (1 - M k) <= C * q ^ k.
  Proof.
    destruct q_bounds as (Q1 & Q2 & Q3). destruct C_bound as [HB HC1].
    assert (HC : C * (q - beta2) = (q - beta2) + B) by (unfold C; field; lra).
    induction k as [|k IH]; [unfold M; simpl; rewrite Rminus_0_r, Rabs_R1; lra|].
    change (M (S k)) with (beta2 * M k + (1 - beta2) * u beta1 one constant (S k)).
    unfold u. rewrite exploration_is_difference by reflexivity. rewrite !slow_one. change (one (S k)) with 1.
    replace (1 - (beta2 * M k + (1 - beta2) * (1 + constant (S k) * (1 - beta1 ^ S k - (1 - beta1 ^ k)))))
      with (beta2 * (1 - M k) + - ((1 - beta2) * (alpha * ((1 - beta1) * beta1 ^ k)))) by (unfold constant; simpl; ring).
    eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp, !Rabs_mult.
    rewrite (Rabs_right beta2), (Rabs_right (1 - beta2)), (Rabs_right (1 - beta1)) by lra.
    assert (P : 0 <= beta1 ^ k <= q ^ k) by (split; [apply pow_le; lra|apply pow_incr; lra]).
    rewrite (Rabs_right (beta1 ^ k)) by lra.
    assert (X1 : beta2 * Rabs (1 - M k) <= beta2 * (C * q ^ k)) by (apply Rmult_le_compat_l; lra).
    assert (X2 : (1 - beta2) * (Rabs alpha * ((1 - beta1) * beta1 ^ k)) <= B * q ^ k).
    { replace ((1 - beta2) * (Rabs alpha * ((1 - beta1) * beta1 ^ k))) with ((1 - beta2) * (B * beta1 ^ k)) by (unfold B; ring).
      assert (B * beta1 ^ k <= B * q ^ k) by (apply Rmult_le_compat_l; lra).
      assert (0 <= B * beta1 ^ k) by (apply Rmult_le_pos; lra). nra. }
    assert (0 <= (q - beta2) * q ^ k) by (apply Rmult_le_pos; lra).
    replace (C * q ^ S k) with (beta2 * (C * q ^ k) + C * (q - beta2) * q ^ k) by (simpl; ring). rewrite HC. lra.
  Qed.

  (** What is smaller than a multiple of q^k tends to 0. *)
  Lemma squeezed (x : nat -> R) l W r : 0 <= r < 1 -> (forall k, Rabs (x k - l) <= W * r ^ k) -> Un_cv x l.
  Proof.
    intros Hr H eps He. assert (HW : 0 <= W) by (pose proof (H 0%nat); pose proof (Rabs_pos (x 0%nat - l)); simpl in *; lra).
    destruct (pow_lt_1_zero r) with (y := eps / (W + 1)) as [N HN].
    - rewrite Rabs_right; lra.
    - apply Rdiv_lt_0_compat; lra.
    - exists N. intros k Hk. unfold R_dist. specialize (HN k Hk). rewrite Rabs_right in HN by (apply Rle_ge, pow_le; lra).
      assert (P : 0 <= r ^ k) by (apply pow_le; lra).
      apply Rle_lt_trans with ((W + 1) * r ^ k); [pose proof (H k); nra|].
      replace eps with ((W + 1) * (eps / (W + 1))) by (field; lra). apply Rmult_lt_compat_l; lra.
  Qed.

  Lemma total_lag k : sum k (fun j => 1 - M (S j)) = b * M k - alpha * (1 - beta1 ^ k).
  Proof.
    replace (b * M k - alpha * (1 - beta1 ^ k)) with (lag alpha beta1 beta2 one k - lag alpha beta1 beta2 one 0)
      by (unfold lag; rewrite slow_one; fold constant M b; simpl; ring).
    rewrite <- (sum_telescope k (lag alpha beta1 beta2 one)). apply sum_ext; intros j _.
    change 1 with (one (S j)). apply transport; [reflexivity|lra].
  Qed.

  Lemma sum_by_parts k (p : nat -> R) :
    sum k (fun i => INR i * p i) = INR k * sum k p - sum k (fun j => sum (S j) p).
  Proof. induction k as [|k IH]; [simpl; ring|]. rewrite sum_S, IH, (sum_S k p), (sum_S k (fun j => sum (S j) p)), S_INR, (sum_S k p). ring. Qed.

  Theorem mean_age :
    Un_cv (fun k => sum k weight) 1 /\ Un_cv (fun k => sum k (fun i => INR i * weight i)) (b - alpha).
  Proof.
    destruct q_bounds as (Q1 & Q2 & Q3). destruct C_bound as [HB HC1]. split.
    - apply (squeezed _ _ C q); [lra|]. intros k. rewrite weights_sum. fold M.
      rewrite <- Rabs_Ropp. replace (- (M k - 1)) with (1 - M k) by ring. apply momentum_one.
    - set (r := sqrt q). assert (Hr : 0 <= r < 1).
      { split; [apply sqrt_pos|]. rewrite <- sqrt_1. apply sqrt_lt_1_alt. lra. }
      assert (Hq : q = r * r) by (unfold r; rewrite sqrt_sqrt; lra).
      assert (Hb : 0 <= b) by (apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]).
      apply (squeezed _ _ (b * C + Rabs alpha + C / (1 - r)) r); [exact Hr|]. intros k.
      assert (E : sum k (fun i => INR i * weight i) = sum k (fun j => 1 - M (S j)) - INR k * (1 - M k)).
      { rewrite sum_by_parts, weights_sum. fold M. rewrite sum_minus, sum_const.
        rewrite (sum_ext k (fun j => sum (S j) weight) (fun j => M (S j))) by (intros; apply weights_sum). ring. }
      rewrite E, total_lag.
      replace (b * M k - alpha * (1 - beta1 ^ k) - INR k * (1 - M k) - (b - alpha))
        with (- (b * (1 - M k)) + (alpha * beta1 ^ k + - (INR k * (1 - M k)))) by ring.
      eapply Rle_trans; [apply Rabs_triang|]. eapply Rle_trans; [apply Rplus_le_compat_l, Rabs_triang|].
      rewrite !Rabs_Ropp, !Rabs_mult, (Rabs_right b), (Rabs_right (INR k)), (Rabs_right (beta1 ^ k))
        by (lra || apply Rle_ge, pos_INR || (pose proof (power_bounds k); lra)).
      pose proof (momentum_one k) as M1. rewrite Hq in M1.
      assert (P : (r * r) ^ k = r ^ k * r ^ k) by apply Rpow_mult_distr. rewrite P in M1.
      assert (R0 : 0 <= r ^ k <= 1) by (split; [apply pow_le; lra|rewrite <- (pow1 k); apply pow_incr; lra]).
      assert (Bk : beta1 ^ k <= r ^ k).
      { apply pow_incr. split; [lra|]. apply Rle_trans with q; [lra|]. rewrite Hq. nra. }
      assert (T1 : b * Rabs (1 - M k) <= b * C * r ^ k).
      { rewrite Rmult_assoc. apply Rmult_le_compat_l; [exact Hb|]. eapply Rle_trans; [exact M1|]. apply Rmult_le_compat_l; nra. }
      assert (T2 : Rabs alpha * beta1 ^ k <= Rabs alpha * r ^ k) by (apply Rmult_le_compat_l; [apply Rabs_pos|exact Bk]).
      assert (T3 : INR k * Rabs (1 - M k) <= C / (1 - r) * r ^ k).
      { eapply Rle_trans; [apply Rmult_le_compat_l; [apply pos_INR|exact M1]|].
        pose proof (linear_times_power r k Hr) as Lin.
        assert (INR k * r ^ k <= / (1 - r)).
        { apply Rmult_le_reg_r with (1 - r); [lra|]. rewrite Rinv_l by lra. lra. }
        replace (INR k * (C * (r ^ k * r ^ k))) with (C * (INR k * r ^ k) * r ^ k) by ring.
        apply Rmult_le_compat_r; [lra|]. apply Rmult_le_compat_l; lra. }
      lra.
  Qed.

  (** *** The alpha at which E leaves nothing but another decay rate *)
  Theorem alpha_star : (forall g, g 0%nat = 0 -> forall k, m beta1 beta2 g constant k = h beta1 g k)
    <-> alpha = 1 / (1 - beta2) - 1 / (1 - beta1).
  Proof.
    split.
    - intros H. specialize (H one eq_refl 1%nat). unfold constant in H. simpl in H. unfold u in H. simpl in H.
      assert (K : (1 - beta2) * (1 + alpha * (1 - beta1)) = 1 - beta1) by lra.
      apply Rmult_eq_reg_l with ((1 - beta2) * (1 - beta1)); [|apply Rmult_integral_contrapositive; lra].
      replace ((1 - beta2) * (1 - beta1) * (1 / (1 - beta2) - 1 / (1 - beta1))) with ((1 - beta1) - (1 - beta2)) by (field; lra).
      lra.
    - intros E g g0. induction k as [|k IH]; [reflexivity|].
      change (m beta1 beta2 g constant (S k)) with (beta2 * m beta1 beta2 g constant k + (1 - beta2) * u beta1 g constant (S k)).
      rewrite one_buffer, IH by exact g0. unfold Adaptor.c, constant. simpl h. rewrite E. field. lra.
  Qed.
End Filter.

(** The weights are those of m and, with beta2 = 0, of u. *)
Theorem weights_are alpha beta1 beta2 (g : nat -> R) k : g 0%nat = 0 ->
  m beta1 beta2 g (fun _ => alpha) k = sum k (fun i => weight alpha beta1 beta2 i * g (k - i)%nat)
  /\ u beta1 g (fun _ => alpha) (S k) = sum (S k) (fun i => weight alpha beta1 0 i * g (S k - i)%nat).
Proof.
  intros g0. split; [apply momentum_filter; exact g0|].
  rewrite <- momentum_filter by exact g0. simpl. ring.
Qed.

Corollary mean_age_of_u alpha beta1 : 0 <= beta1 < 1 ->
  Un_cv (fun k => sum k (weight alpha beta1 0)) 1
  /\ Un_cv (fun k => sum k (fun i => INR i * weight alpha beta1 0 i)) (- alpha).
Proof.
  intros B1. destruct (mean_age alpha beta1 0 B1 ltac:(lra)) as [S1 S2]. split; [exact S1|].
  replace (- alpha) with (0 / (1 - 0) - alpha) by field. exact S2.
Qed.

(** The settings of the paper's Figure 8 are where E only changes the decay rate. *)
Lemma figure_8 : -80 = 1 / (1 - 95 / 100) - 1 / (1 - 99 / 100) /\ -90 = 1 / (1 - 9 / 10) - 1 / (1 - 99 / 100).
Proof. split; field. Qed.

(** *** A constant gradient: E ends alpha steps of SGD ahead *)
Section HeadStart.
  Variables (alpha beta1 : R).
  Hypothesis B1 : 0 <= beta1 < 1.
  Let c := - alpha * (1 - beta1).
  Definition moved (N : nat) : R := sum N (fun k => u beta1 one (fun _ => alpha) (S k)).

  Theorem head_start N : moved N = INR N - c * (1 - beta1 ^ N) / (1 - beta1).
  Proof.
    unfold moved. induction N as [|N IH]; [simpl; field; lra|].
    rewrite sum_S, IH, S_INR, one_buffer, slow_one by reflexivity.
    unfold Adaptor.c, c. simpl. field. lra.
  Qed.

  Theorem head_start_limit : Un_cv (fun N => moved N - INR N) alpha.
  Proof.
    apply (squeezed _ _ (Rabs alpha) beta1); [lra|]. intros N. rewrite head_start.
    replace (INR N - c * (1 - beta1 ^ N) / (1 - beta1) - INR N - alpha) with (- (alpha * beta1 ^ N))
      by (unfold c; field; lra).
    rewrite Rabs_Ropp, Rabs_mult, (Rabs_right (beta1 ^ N)) by (apply Rle_ge, pow_le; lra). lra.
  Qed.
End HeadStart.
