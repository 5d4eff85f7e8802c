(** The hypotheses of the theorems can be met together. Theorem N for ALTO: f = cos, which is not convex, and a coin as noise. *)
From Coq Require Import Reals Lra List Lia.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters Methods Tree TheoremN Algorithms Tracking Online
  Normalised NormalisedRate Virtual HighProbability.
Import ListNotations.
Local Open Scope R_scope.

Definition F (x : vec) : R := cos (x 0%nat).
Definition DF (x : vec) : vec := fun i => match i with O => - sin (x 0%nat) | _ => 0 end.
Definition coin (H : list bool) (x : vec) (s : bool) : vec :=
  fun i => match i with O => - sin (x 0%nat) + (if s then 1 else -1) | _ => 0 end.

Lemma norm_1 x : norm 1 x = Rabs (x 0%nat).
Proof. unfold norm, sq. simpl. rewrite Rplus_0_l. apply sqrt_Rsqr_abs. Qed.

Lemma line a d t : derivable_pt_lim (fun t => a + t * d) t d.
Proof.
  pose proof (quadratic_derivative a d 0 t) as Q. rewrite Rmult_0_r, Rmult_0_l, Rplus_0_r in Q.
  apply (derivable_pt_lim_ext (fun t => a + d * t + 0 * (t * t))); [intros; ring|exact Q].
Qed.

Lemma F_smooth : smooth 1 F DF 1.
Proof.
  split.
  - intros x d. unfold F, DF, dot. simpl. rewrite Rplus_0_l.
    pose proof (derivable_pt_lim_comp (fun t => x 0%nat + t * d 0%nat) cos 0 (d 0%nat) (- sin (x 0%nat + 0 * d 0%nat))) as C.
    cbv beta in C. replace (x 0%nat + 0 * d 0%nat) with (x 0%nat) in C by ring.
    apply C; [apply line|apply derivable_pt_lim_cos].
  - intros x y. rewrite !norm_1, Rmult_1_l. unfold DF. set (d := x 0%nat - y 0%nat).
    pose proof (moves_at_most (fun t => sin (y 0%nat + t * d)) (fun t => cos (y 0%nat + t * d) * d) (Rabs d)) as M.
    cbv beta in M. rewrite Rmult_1_l, Rmult_0_l, Rplus_0_r in M. replace (y 0%nat + d) with (x 0%nat) in M by (unfold d; ring).
    replace (- sin (x 0%nat) - - sin (y 0%nat)) with (- (sin (x 0%nat) - sin (y 0%nat))) by ring. rewrite Rabs_Ropp.
    apply M. intros t _. split.
    + apply (derivable_pt_lim_comp (fun t => y 0%nat + t * d) sin); [apply line|apply derivable_pt_lim_sin].
    + rewrite Rabs_mult. pose proof (COS_bound (y 0%nat + t * d)). pose proof (Rabs_pos d).
      assert (Rabs (cos (y 0%nat + t * d)) <= 1) by (apply Rabs_le; lra). nra.
Qed.

(** ALTO with alpha = -5, beta1 = .9, with or without bias correction. *)
Theorem witness (corrected : bool) (T : nat) : (0 < T)%nat ->
  let update := alto_update 1 (1 / 2) (9 / 10) (1 / 10) (1 / 10) (1 / 10) (fun _ => 0%nat) corrected (fun _ => 0) in
  let eta := 1 / 1000000 in let zeta := 1 * 2 / (1 / 10) in
  mean_square_gradient 1 coin (-5) (9 / 10) (1 / 2) (9 / 10) eta (fun _ => 3) DF (fun _ => [true; false]) (fun _ _ => 1 / 2)
    update T
  <= right_side 1 (-5) (9 / 10) (1 / 2) eta (fun _ => 3) DF 1
       (/ ((1 * 2 + 1 / 10) * ((sqrt 1 * zeta + (0 + 1 / 10) * (1 / 10)) / (1 / 10))))
       (/ ((if corrected then 1 - 1 / 2 else 1) * (1 / 10) * (1 / 10))) (F (fun _ => 3) - -1) T.
Proof.
  intros HT update eta zeta.
  apply (alto 1 coin (-5) (9 / 10) (1 / 2) (9 / 10) eta (fun _ => 3) F DF 1 (-1) (fun _ => [true; false])
           (fun _ _ => 1 / 2) 1 (1 / 10) (1 / 10) (1 / 10) 2 1) with (gain := 1); try lra; try exact HT.
  - intros H x s i. destruct i; simpl; [|rewrite Rabs_R0; lra].
    pose proof (SIN_bound (x 0%nat)) as B. apply Rabs_le. destruct s; lra.
  - unfold Rabs; repeat destruct Rcase_abs; lra.
  - unfold zeta. lra.
  - left. unfold zeta. lra.
  - intros i. unfold size, within. simpl. lra.
  - left. reflexivity.
  - unfold problem, eta. repeat match goal with |- _ /\ _ => split end; try lra; try lia; [apply F_smooth|].
    intros x. unfold F. pose proof (COS_bound (x 0%nat)). lra.
  - split; [split; [intros; lra|intros; simpl; lra]|]. intros z H.
    split; [intros [|i]; unfold next; simpl; lra|unfold next, sq; simpl; lra].
  - unfold step_allowed, C_delta, eta. cbv zeta. destruct corrected; lra.
Qed.

(** *** Theorem C's hypotheses can be met, too: a linear loss on [-1, 1], clipping, and enforced monotonicity *)
Definition slope (k : nat) : vec := fun i => match k, i with S _, O => 1 | _, _ => 0 end.
Definition clip_1 (_ : nat) (v : R) : R := Rmax (-1) (Rmin 1 v).
Definition H_at corrected theta :=
  H_largest 1 (fun _ => 0%nat) false corrected (fun _ => -5) (fun _ => 0) (9 / 10) (1 / 2) (9 / 10) 1 1 1 1 theta slope.
Fixpoint walk corrected (k : nat) : vec := fun i =>
  match k with
  | O => 0
  | S j => clip_1 i (walk corrected j i
      - moment_m (fun _ => -5) (9 / 10) (1 / 2) slope (S j) i / H_at corrected (fun _ _ => 0) (S j) i)
  end.

Lemma in_walk corrected k i : -1 <= walk corrected k i <= 1.
Proof.
  destruct k as [|k]; simpl; [lra|]. unfold clip_1. split; [apply Rmax_l|]. apply Rmax_lub; [lra|apply Rmin_l].
Qed.

Theorem witness_online (corrected : bool) : exists theta : nat -> vec,
  online_problem 1 theta slope clip_1 (fun _ x => x 0%nat) (fun _ => -1) (fun _ => 1) (fun _ => -1) (fun _ => 2) 1 2 1
  /\ constants 1 1 (fun _ => 0%nat) corrected (fun _ => -5) (fun _ => 0) (9 / 10) (1 / 2) (9 / 10) 1 1 1 1 1 0 1 1 1 6 0
  /\ enforced_step 1 (fun _ => 0%nat) false corrected (fun _ => -5) (fun _ => 0) (9 / 10) (1 / 2) (9 / 10) 1 1 1 1 theta
       slope clip_1.
Proof.
  exists (fun k => walk corrected (pred k)).
  assert (K1 : forall k, Rabs (1 - c (9 / 10) (fun _ => -5) k) + Rabs (c (9 / 10) (fun _ => -5) k) <= 1)
    by (intros; unfold c; rewrite !Rabs_right by lra; lra).
  split; [|split].
  - unfold online_problem. repeat match goal with |- _ /\ _ => split end.
    + intros k x Bx. unfold dot, slope. simpl. lra.
    + reflexivity.
    + intros k i. unfold slope. destruct k; [rewrite Rabs_R0; lra|]. destruct i; [rewrite Rabs_R1|rewrite Rabs_R0]; lra.
    + intros k i. apply in_walk.
    + intros i. lra.
    + intros k i. pose proof (in_walk corrected k i). simpl. apply Rabs_le. lra.
    + intros i. lra.
    + intros k. rewrite norm_1. pose proof (in_walk corrected k 0%nat). simpl. apply Rabs_le. lra.
    + intros i x y. unfold clip_1, Rmax, Rmin. unfold Rabs. repeat destruct Rle_dec; repeat destruct Rcase_abs; lra.
    + intros i x Hx. unfold clip_1. rewrite Rmin_right, Rmax_right; lra.
  - unfold constants. repeat match goal with |- _ /\ _ => split end; try lra; try exact K1.
    + intros. lia.
    + intros k. pose proof (root_at_least_1 k). assert (0 <= / sqrt (INR (S k))) by (apply inverse_nonneg; lra). lra.
    + left. lra.
    + intros T. rewrite (sum_all_zero T); [lra|]. intros. rewrite Rminus_diag_eq by reflexivity. apply Rabs_R0.
    + left. exists (-5). split; [reflexivity|split; [left; reflexivity|]]. intros k.
      pose proof (total_age (-5) (9 / 10) (1 / 2) ltac:(lra) ltac:(lra) ltac:(lra) ltac:(lra) k). lra.
  - intros k i. simpl pred. cbn [walk]. f_equal. f_equal. f_equal.
    unfold M_now, P. ring.
Qed.

(** *** ESGD on x^2 / 2, alpha = -5: any batch and the linear rate, with a coin as noise *)
Definition bowl (x : vec) : R := 1 / 2 * sq 1 x.
Definition bowl_slope (x : vec) : vec := fun i => 1 * x i.
Definition tossed (H : list bool) (x : vec) (s : bool) : vec :=
  fun i => bowl_slope x i + match i with O => if s then 1 else -1 | _ => 0 end.
Definition coins (H : list bool) : list bool := [true; false].
Definition even (H : list bool) (s : bool) : R := 1 / 2.

Lemma bowl_smooth : smooth 1 bowl bowl_slope 1.
Proof.
  split; [exact (square_gradient 1 1)|]. intros x y. unfold bowl_slope. rewrite Rmult_1_l. apply Req_le. unfold norm, sq.
  f_equal. apply sum_ext; intros. ring.
Qed.

Lemma kappa_and_age beta2 : 0 <= beta2 < 1 -> forall k,
  sum k (fun i => Rabs (age_weight (-5) (9 / 10) beta2 i)) <= beta2 / (1 - beta2) + 5
  /\ sum k (fun i => age_weight (-5) (9 / 10) beta2 i * age_weight (-5) (9 / 10) beta2 i) <= beta2 / (1 - beta2) + 5.
Proof.
  intros B2 k. pose proof (age_at_most (-5) (9 / 10) beta2 ltac:(lra) B2 k) as A.
  pose proof (tau2_at_most (-5) (9 / 10) beta2 ltac:(lra) B2 k) as T.
  replace (Rabs (1 - - -5 * (1 - 9 / 10)) + Rabs (- -5 * (1 - 9 / 10))) with 1 in A, T by (rewrite !Rabs_right by lra; lra).
  replace (Rabs (-5)) with 5 in A, T by (unfold Rabs; destruct Rcase_abs; lra). split; lra.
Qed.

(** |t_i| <= (3/4) (9/10)^i, so that its sum over powers of r = .99 is finite. *)
Lemma aged_weights k : sum k (fun j => Rabs (age_weight (-5) (9 / 10) (1 / 2) j) * / (99 / 100) ^ S j) <= 25 / 3.
Proof.
  assert (B : forall i, Rabs (age_weight (-5) (9 / 10) (1 / 2) i) <= 3 / 4 * (9 / 10) ^ i).
  { induction i as [|i IH].
    - unfold age_weight. simpl. rewrite Rabs_right; lra.
    - rewrite age_weight_S by lra. set (x := age_weight (-5) (9 / 10) (1 / 2) i) in *.
      replace (1 / 2 * x + (1 - 1 / 2) * (- -5 * (1 - 9 / 10) * (9 / 10) ^ S i)) with (1 / 2 * x + 9 / 40 * (9 / 10) ^ i) by (simpl; field).
      eapply Rle_trans; [apply Rabs_triang|]. pose proof (pow_le (9 / 10) i ltac:(lra)) as P.
      rewrite (Rabs_mult (1 / 2)), (Rabs_right (1 / 2)), (Rabs_right (9 / 40 * _)) by lra. simpl. lra. }
  apply Rle_trans with (sum k (fun j => 25 / 33 * (10 / 11) ^ j)).
  - apply sum_le; intros j _. assert (R : 0 < (99 / 100) ^ j) by (apply pow_lt; lra).
    apply Rmult_le_reg_r with ((99 / 100) ^ S j); [apply pow_lt; lra|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by (apply pow_nonzero; lra).
    eapply Rle_trans; [apply B|]. replace (9 / 10) with (10 / 11 * (99 / 100)) by field. rewrite Rpow_mult_distr. simpl. apply Req_le. field.
  - rewrite sum_scal. pose proof (geometric (10 / 11) ltac:(lra) k) as Ge.
    replace (/ (1 - 10 / 11)) with 11 in Ge by field. change (sum k (pow (10 / 11)) <= 11) in Ge. lra.
Qed.

Theorem witness_virtual : let r := 1 - 1 / 100 * 1 in let K := 6 in
  problem 1 (9 / 10) (1 / 2) (1 / 100) bowl bowl_slope 1 0
  /\ unbiased 1 tossed (-5) (9 / 10) (1 / 2) 0 (1 / 100) (fun _ => 3) bowl_slope coins even 1 esgd_update
  /\ (forall k, sum k (fun j => Rabs (age_weight (-5) (9 / 10) (1 / 2) j)) <= K)
  /\ (forall k, sum k (fun j => age_weight (-5) (9 / 10) (1 / 2) j * age_weight (-5) (9 / 10) (1 / 2) j) <= K)
  /\ 4 * (1 / 100 * 1) <= 1 /\ 8 * ((1 * (1 / 100) * K) * (1 * (1 / 100) * K)) <= 1
  /\ pl 1 bowl bowl_slope 1 0 /\ 1 / 100 * 1 < 1
  /\ (forall k, sum k (fun j => Rabs (age_weight (-5) (9 / 10) (1 / 2) j) * / r ^ S j) <= 25 / 3)
  /\ 2 * ((1 * (1 / 100)) * (1 * (1 / 100))) * K * (25 / 3) <= 1 - 1 * (1 / 100).
Proof.
  cbv zeta. repeat match goal with |- _ /\ _ => split end; try lra.
  - unfold problem. repeat match goal with |- _ /\ _ => split end; try lra; try lia; [apply bowl_smooth|].
    intros x. unfold bowl. pose proof (sq_nonneg 1 x). lra.
  - split; [split; [intros; unfold even; lra|intros; simpl; unfold even; lra]|]. intros z H. unfold tossed.
    split; [intros i; unfold next; simpl; unfold even; destruct i; lra|unfold next, sq; simpl; unfold even; lra].
  - intros k. destruct (kappa_and_age (1 / 2) ltac:(lra) k). lra.
  - intros k. destruct (kappa_and_age (1 / 2) ltac:(lra) k). lra.
  - intros x. unfold bowl, bowl_slope. rewrite sq_scaled. lra.
  - intros k. replace (1 - 1 / 100 * 1) with (99 / 100) by field. apply aged_weights.
Qed.

(** *** High probability: the same bowl and coin *)
Theorem witness_high_probability T x : (0 < T)%nat ->
  chance coins even T (path_mean 1 tossed (-5) (9 / 10) (1 / 2) 0 (1 / 100) (fun _ => 3) bowl_slope)
    (4 * (bowl (fun _ => 3) - 0) / (1 / 100 * INR T) + 2 * 1 * (1 / 100) * (1 * 1) * (1 + 2 * 1 * (1 / 100) * (6 * 6))
     + 4 * (1 + 1 * (1 / 100)) * (1 * 1) * x / INR T) <= exp (- x).
Proof.
  intros HT. destruct witness_virtual as (Pr & Un & Age & _).
  apply (high_probability 1 tossed (-5) (9 / 10) (1 / 2) 0 (1 / 100) (fun _ => 3) bowl bowl_slope 1 0 coins even 1 6); try lra.
  - exact Pr.
  - rewrite Rmult_1_r. exact Un.
  - intros H s. unfold tossed, sq. simpl. destruct s; lra.
  - exact Age.
  - exact HT.
Qed.

(** *** The rate of the normalised step: f = cos and a coin, alpha = -5, both algorithms, every number of steps *)
Theorem witness_normalised (corrected : bool) (T : nat) : (0 < T)%nat ->
  let t := sqrt (sqrt (INR T)) in let beta2 := 1 - / (t * t) in let eta := 1 / (t * t * t) in
  let update := step_by_length 1 (fun _ => 0%nat) false corrected beta2 (9 / 10) (1 / 10) (1 / 10) (1 / 10) 0 in
  exists (a b : list bool -> nat -> R) (reach widest : R),
  problem 1 (9 / 10) beta2 eta F DF 1 (-1)
  /\ unbiased 1 coin (-5) (9 / 10) beta2 (9 / 10) eta (fun _ => 3) DF coins even 1 update
  /\ (forall H l, 0 < a H l <= b H l)
  /\ (forall H s j, let W := width_at 1 (fun _ => 0%nat) coin false corrected (-5) (9 / 10) beta2 (9 / 10) (1 / 10) (1 / 10)
         (1 / 10) 0 eta (fun _ => 3) (s :: H) in a (s :: H) 0%nat <= W j <= b (s :: H) 0%nat)
  /\ 0 <= reach /\ 0 <= widest
  /\ (forall H, (length H <= T)%nat -> let size := phi_at 1 (fun _ => 0%nat) coin false corrected (-5) (9 / 10) beta2 (9 / 10)
         (1 / 10) (1 / 10) (1 / 10) 0 eta (fun _ => 3) H in sum 1 (fun l => size l * size l) <= reach * reach)
  /\ (forall H s l, (length H < T)%nat -> b (s :: H) l <= widest).
Proof.
  intros HT t beta2 eta update.
  assert (HT1 : 1 <= INR T) by (change 1 with (INR 1); apply le_INR; lia).
  assert (t1 : 1 <= t) by (unfold t; rewrite <- sqrt_1; apply sqrt_le_1_alt; rewrite <- sqrt_1; apply sqrt_le_1_alt; exact HT1).
  assert (T2 : 1 <= t * t) by nra. assert (T3 : 1 <= t * t * t) by nra.
  assert (I2 : 0 < / (t * t) <= 1) by (split; [apply Rinv_0_lt_compat; lra|rewrite <- Rinv_1; apply Rinv_le_contravar; lra]).
  assert (B2 : 0 <= beta2 < 1) by (unfold beta2; lra).
  assert (He : 0 < eta) by (unfold eta; apply Rdiv_lt_0_compat; lra).
  pose (kappa := Rabs (1 - - -5 * (1 - 9 / 10)) + Rabs (- -5 * (1 - 9 / 10))).
  pose (q := fun H : list bool => bias corrected beta2 (length H)).
  pose (a := fun (H : list bool) (_ : nat) => match H with [] => 1 | _ => q H * (1 / 10) end).
  pose (b := fun (H : list bool) (_ : nat) => match H with [] => 1 | _ => q H * (kappa * 2 + 1 / 10) end).
  assert (Coin : forall H x s i, Rabs (coin H x s i) <= 2).
  { intros H x s i. destruct i; simpl; [|rewrite Rabs_R0; lra]. pose proof (SIN_bound (x 0%nat)). apply Rabs_le. destruct s; lra. }
  assert (Al : forall H s i, let W := width_at 1 (fun _ => 0%nat) coin false corrected (-5) (9 / 10) beta2 (9 / 10) (1 / 10) (1 / 10)
      (1 / 10) 0 eta (fun _ => 3) (s :: H) i in a (s :: H) 0%nat <= W <= b (s :: H) 0%nat
      /\ 0 < a (s :: H) 0%nat <= b (s :: H) 0%nat /\ b (s :: H) 0%nat <= kappa * 2 + 1 / 10).
  { intros H s i W. pose proof (alignment_at_least coin 1 (fun _ => 0%nat) false corrected (-5) (9 / 10) beta2 (9 / 10) (1 / 10) (1 / 10)
      (1 / 10) 0 eta (fun _ => 3) 2 H s i ltac:(lra) B2 ltac:(lra) ltac:(lra) ltac:(lra) Coin) as A.
    cbv zeta in A. unfold a, b, q, kappa, W. tauto. }
  assert (Kp : 0 <= kappa) by (unfold kappa; apply Rplus_le_le_0_compat; apply Rabs_pos).
  pose (reach := (norm_in 1 (fun _ => 0%nat) 0 (fun _ => 3) + 1 / 10) * (1 + eta) ^ T).
  assert (N0 : 0 <= norm_in 1 (fun _ => 0%nat) 0 (fun _ => 3)) by apply norm_nonneg.
  assert (Rp : 0 <= reach) by (unfold reach; apply Rmult_le_pos; [lra|apply pow_le; lra]).
  exists a, b, reach, (kappa * 2 + 1 / 10). repeat match goal with |- _ /\ _ => split end; try assumption; try lra.
  - unfold problem. repeat match goal with |- _ /\ _ => split end; try lra; try lia; [apply F_smooth|].
    intros x. unfold F. pose proof (COS_bound (x 0%nat)). lra.
  - split; [split; [intros; unfold even; lra|intros; simpl; unfold even; lra]|]. intros z H.
    split; [intros [|i]; unfold next; simpl; unfold even; lra|unfold next, sq; simpl; unfold even; lra].
  - intros [|s H] l; [unfold a, b; lra|]. apply (Al H s 0%nat).
  - intros H s j. apply (Al H s j).
  - intros [|s H] HL; [simpl; rewrite Rmult_0_l, Rplus_0_l; apply square_nonneg|]. cbv zeta. rewrite sum_S. simpl (sum 0 _). rewrite Rplus_0_l.
    set (x := phi_at _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ (s :: H) 0).
    assert (X : 0 <= x <= reach).
    { split; [apply phi_at_nonneg; lra|].
      destruct (small_layer coin 1 (fun _ => 0%nat) corrected (-5) (9 / 10) beta2 (9 / 10) (1 / 10) (1 / 10) (1 / 10) 0 eta (fun _ => 3)
        H s 0%nat ltac:(lra) ltac:(lra) ltac:(lra)) as [_ U].
      eapply Rle_trans; [exact U|]. unfold reach. apply Rmult_le_compat_l; [lra|]. apply Rle_pow; [lra|simpl in HL; lia]. }
    apply Rmult_le_compat; lra.
  - intros H s l _. apply (Al H s 0%nat).
Qed.
