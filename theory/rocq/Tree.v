(** Probability as a finite tree. After the history H (newest draw first) the next draw s comes from the finite list
    [outs H] with weight [w H s]; everything may depend on the history, so a minibatch drawn in any way from a finite
    data set is an instance. The expectation of X over k draws is a nested finite sum: no measure theory. *)
From Coq Require Import Reals Lra Lia List.
From Proofs Require Import Sums Vectors.
Import ListNotations.
Local Open Scope R_scope.

Section Tree.
  Context {S : Type}.
  Variables (outs : list S -> list S) (w : list S -> S -> R).
  Definition next (H : list S) (X : S -> R) : R := mean (w H) (outs H) X.
  (** Expectation of X after k more draws. *)
  Fixpoint expect (k : nat) (H : list S) (X : list S -> R) : R :=
    match k with O => X H | Datatypes.S j => next H (fun s => expect j (s :: H) X) end.

  (** The weights are probabilities. *)
  Definition probabilities : Prop :=
    (forall H s, 0 <= w H s) /\ (forall H, mean (w H) (outs H) (fun _ => 1) = 1).
  Hypothesis proper : probabilities.

  Lemma next_plus H X Y : next H (fun s => X s + Y s) = next H X + next H Y.
  Proof. apply mean_plus. Qed.
  Lemma next_scal H k X : next H (fun s => k * X s) = k * next H X.
  Proof. apply mean_scal. Qed.
  Lemma next_const H k : next H (fun _ => k) = k.
  Proof. unfold next. rewrite mean_const, (proj2 proper). ring. Qed.
  Lemma next_le H X Y : (forall s, X s <= Y s) -> next H X <= next H Y.
  Proof. apply mean_le, proper. Qed.
  Lemma next_ext H X Y : (forall s, X s = Y s) -> next H X = next H Y.
  Proof. apply mean_ext. Qed.
  Lemma next_sum H T (F : S -> nat -> R) : next H (fun s => sum T (F s)) = sum T (fun k => next H (fun s => F s k)).
  Proof. apply mean_sum. Qed.

  Lemma expect_ext k H X Y : (forall K, X K = Y K) -> expect k H X = expect k H Y.
  Proof. intros E. revert H; induction k; intros H; simpl; [apply E|]. apply next_ext; auto. Qed.
  Lemma expect_const k H x : expect k H (fun _ => x) = x.
  Proof.
    revert H; induction k; intros H; simpl; [reflexivity|].
    rewrite (next_ext _ _ (fun _ => x)); [apply next_const|auto].
  Qed.
  Lemma expect_le k H X Y : (forall K, X K <= Y K) -> expect k H X <= expect k H Y.
  Proof. intros HXY. revert H; induction k; intros H; simpl; [apply HXY|]. apply next_le; auto. Qed.
  Lemma expect_plus k H X Y : expect k H (fun K => X K + Y K) = expect k H X + expect k H Y.
  Proof.
    revert H; induction k; intros H; simpl; [reflexivity|]. rewrite <- next_plus. apply next_ext; auto.
  Qed.
  Lemma expect_scal k H x X : expect k H (fun K => x * X K) = x * expect k H X.
  Proof. revert H; induction k; intros H; simpl; [reflexivity|]. rewrite <- next_scal. apply next_ext; auto. Qed.
  Lemma expect_sum k H T (F : list S -> nat -> R) :
    expect k H (fun K => sum T (F K)) = sum T (fun i => expect k H (fun K => F K i)).
  Proof.
    induction T as [|T IH]; simpl; [apply expect_const|]. rewrite <- IH. apply expect_plus.
  Qed.

  (** The last draw of k + 1 may be taken first. *)
  Lemma expect_last k H X : expect (Datatypes.S k) H X = expect k H (fun K => next K (fun s => X (s :: K))).
  Proof. revert H; induction k; intros H; [reflexivity|]. simpl. apply next_ext; intros s. exact (IHk (s :: H)). Qed.

  (** What an earlier part of the history decides: the draws after it do not matter. *)
  Lemma expect_earlier j k H X : expect (j + k) H (fun K => X (skipn j K)) = expect k H X.
  Proof.
    induction j as [|j IH]; [reflexivity|].
    change (Datatypes.S j + k)%nat with (Datatypes.S (j + k)). rewrite expect_last, <- IH.
    apply expect_ext; intros K. simpl. apply next_const.
  Qed.

  (** A martingale difference xi adds to the mean square of what the past decides its own mean square alone. *)
  Lemma next_square n H (rest : vec) (k variance : R) (xi : S -> vec) :
    (forall i, next H (fun s => xi s i) = 0) -> next H (fun s => sq n (xi s)) <= variance ->
    next H (fun s => sq n (fun i => rest i + k * xi s i)) <= sq n rest + k * k * variance.
  Proof.
    intros Zero Var.
    assert (E : forall s, sq n (fun i => rest i + k * xi s i)
                = sq n rest + (2 * k * dot n rest (xi s) + k * k * sq n (xi s))).
    { intros s. unfold sq, dot. rewrite <- !sum_scal, <- !sum_plus. apply sum_ext; intros; ring. }
    rewrite (next_ext _ _ _ E), !next_plus, !next_scal, next_const.
    assert (Z : next H (fun s => dot n rest (xi s)) = 0).
    { unfold dot, next. rewrite mean_sum. rewrite <- (sum_zero n). apply sum_ext; intros i _.
      rewrite mean_scal. change (rest i * next H (fun s => xi s i) = 0). rewrite Zero. ring. }
    rewrite Z. assert (k * k * next H (fun s => sq n (xi s)) <= k * k * variance)
      by (apply Rmult_le_compat_l; [apply square_nonneg|exact Var]). lra.
  Qed.
End Tree.
