(** The hypotheses of Theorem N for ALTO can be met together: f = cos, which is not convex, and a coin as noise. *)
From Coq Require Import Reals Lra List Lia.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters Methods Tree TheoremN Algorithms Online.
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
