(** The hypotheses of Theorem N can be met together: a Huber function with a noisy gradient. *)
From Coq Require Import Reals Lra List Lia.
From Proofs Require Import Sums TheoremN Algorithms.
Import ListNotations.
Local Open Scope R_scope.

Definition clip (x : R) : R := if Rle_dec x (-1) then -1 else if Rle_dec 1 x then 1 else x.
Definition huber (x : R) : R :=
  if Rle_dec x (-1) then - x - 1 / 2 else if Rle_dec 1 x then x - 1 / 2 else x * x / 2.
Definition F (x : vec) : R := huber (x 0%nat).
Definition DF (x : vec) : vec := fun i => match i with O => clip (x 0%nat) | _ => 0 end.
Definition coin (H : list bool) (x : vec) (s : bool) : vec :=
  fun i => match i with O => clip (x 0%nat) + (if s then 1 else -1) | _ => 0 end.

Lemma huber_upper x y : huber y <= huber x + clip x * (y - x) + 1 / 2 * ((y - x) * (y - x)).
Proof.
  unfold huber, clip.
  pose proof (Rle_0_sqr (y - x)). pose proof (Rle_0_sqr (y - 1)). pose proof (Rle_0_sqr (y + 1)).
  pose proof (Rle_0_sqr (x - 1)). pose proof (Rle_0_sqr (x + 1)). unfold Rsqr in *.
  destruct (Rle_dec x (-1)), (Rle_dec 1 x), (Rle_dec y (-1)), (Rle_dec 1 y); try lra.
  all: try (assert (0 <= (-1 - x) * (y - 1)) by (apply Rmult_le_pos; lra); nra).
  all: try (assert (0 <= (x - 1) * (-1 - y)) by (apply Rmult_le_pos; lra); nra).
  all: try (assert (0 <= (-1 - x) * (y + 1)) by (apply Rmult_le_pos; lra); nra).
  all: try (assert (0 <= (x - 1) * (1 - y)) by (apply Rmult_le_pos; lra); nra).
  all: try nra.
Qed.

Lemma clip_lipschitz x y : (clip x - clip y) * (clip x - clip y) <= (x - y) * (x - y).
Proof.
  change (Rsqr (clip x - clip y) <= Rsqr (x - y)). apply Rsqr_le_abs_1. unfold clip.
  destruct (Rle_dec x (-1)), (Rle_dec 1 x), (Rle_dec y (-1)), (Rle_dec 1 y); try lra;
    unfold Rabs; repeat destruct Rcase_abs; lra.
Qed.

Lemma clip_bounded x : Rabs (clip x) <= 1.
Proof. unfold clip. apply Rabs_le. destruct (Rle_dec x (-1)), (Rle_dec 1 x); lra. Qed.

(** ALTO with exploration (alpha = -5, beta1 = 0.9) on it. *)
Theorem witness (T : nat) : (0 < T)%nat ->
  let eta := 1 / 1000000 in
  mean_square_gradient 1 coin (-5) (9 / 10) (1 / 2) (9 / 10) eta (fun _ => 3)
      (alto 1 (1 / 10) (1 / 10) (1 / 10) (fun _ => 0%nat)) DF (fun _ => [true; false]) (fun _ _ => 1 / 2) T
  <= right_side 1 (-5) (9 / 10) (1 / 2) eta (fun _ => 3) F DF 0 1
      (1 / 10 / (sqrt (INR 1) * (1 * 2 / (1 / 10)) + 1 / 10 * (1 / 10)) / (1 * 2 + 1 / 10)) (/ (1 / 10 * (1 / 10))) T.
Proof.
  intros HT eta.
  apply (alto_algorithm_1 1 coin (-5) (9 / 10) (1 / 2) (9 / 10) eta (1 / 10) (1 / 10) (1 / 10) 2 1 (fun _ => 3))
    with (L := 1) (d_max := INR 1); try lra; try lia; unfold eta; try lra.
  - intros H x s i. destruct i; simpl; [|rewrite Rabs_R0; lra].
    pose proof (clip_bounded (x 0%nat)) as B.
    apply Rabs_le. unfold Rabs in B; destruct Rcase_abs in B; destruct s; lra.
  - unfold Rabs; repeat destruct Rcase_abs; lra.
  - exact true.
  - intros x y. unfold dot, sq, F, DF. simpl. pose proof (huber_upper (x 0%nat) (y 0%nat)). lra.
  - intros x y. unfold sq, DF. simpl. pose proof (clip_lipschitz (x 0%nat) (y 0%nat)). lra.
  - intros x. unfold F, huber. destruct Rle_dec; [lra|]. destruct Rle_dec; [lra|]. nra.
  - intros. lra.
  - intros. simpl. lra.
  - intros i. simpl. lra.
  - intros H. split; [intros [|i]; unfold next; simpl; lra|unfold next, sq; simpl; lra].
  - unfold C_delta. lra.
Qed.
