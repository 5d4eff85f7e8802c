(** Theorem N (non-convex): ESGD, EAdam and ALTO without weight decay, all from one Lyapunov inequality.

    Probability: a finite tree. After the history H (newest draw first) the next draw s comes from the finite list
    [outs H] with weight [w H s]; everything may depend on the history, so a minibatch drawn in any way from a finite
    data set is an instance. The expectation of X over k draws is a nested finite sum: no measure theory.

    Smoothness enters as its two consequences, the quadratic upper bound and the Lipschitz gradient. *)
From Coq Require Import Reals Lra Lia List.
From Proofs Require Import Sums.
Import ListNotations.
Local Open Scope R_scope.

Definition vec := nat -> R.

Section TheoremN.
  Variable n : nat.                                     (* dimension *)
  Definition dot (x y : vec) : R := sum n (fun i => x i * y i).
  Definition sq (x : vec) : R := sum n (fun i => x i * x i).

  (** The function. *)
  Variables (f : vec -> R) (D : vec -> vec) (L f_inf : R).
  Hypothesis L_nonneg : 0 <= L.
  Hypothesis upper : forall x y, f y <= f x + dot (D x) (fun i => y i - x i) + L / 2 * sq (fun i => y i - x i).
  Hypothesis lipschitz : forall x y, sq (fun i => D x i - D y i) <= L * L * sq (fun i => x i - y i).
  Hypothesis bounded_below : forall x, f_inf <= f x.

  (** The draws. *)
  Context {S : Type}.
  Variables (outs : list S -> list S) (w : list S -> S -> R).
  Hypothesis w_nonneg : forall H s, 0 <= w H s.
  Hypothesis w_total : forall H, mean (w H) (outs H) (fun _ => 1) = 1.
  Definition next (H : list S) (X : S -> R) : R := mean (w H) (outs H) X.
  (** Expectation of X after k more draws. *)
  Fixpoint expect (k : nat) (H : list S) (X : list S -> R) : R :=
    match k with O => X H | Datatypes.S j => next H (fun s => expect j (s :: H) X) end.

  (** The method: any diagonal preconditioner Q, chosen after the draw, in any way, between two bounds. *)
  Variables (beta1 beta2 c eta q_min q_max : R).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (eta_pos : 0 < eta) (q_pos : 0 < q_min).
  Variables (g : list S -> S -> vec) (theta h m Q : list S -> vec).
  Hypothesis h_0 : forall i, h [] i = 0.
  Hypothesis m_0 : forall i, m [] i = 0.
  Hypothesis h_S : forall H s i, h (s :: H) i = beta1 * h H i + (1 - beta1) * g H s i.
  Hypothesis m_S : forall H s i,
    m (s :: H) i = beta2 * m H i + (1 - beta2) * ((1 - c) * g H s i + c * h H i).
  Hypothesis theta_S : forall H s i, theta (s :: H) i = theta H i - eta * Q (s :: H) i * m (s :: H) i.
  Hypothesis Q_bounds : forall H i, (i < n)%nat -> q_min <= Q H i <= q_max.

  (** The gradient estimate: unbiased given the past, with bounded variance. No independence. *)
  Variable variance : R.
  Hypothesis unbiased : forall H i, next H (fun s => g H s i - D (theta H) i) = 0.
  Hypothesis noise : forall H, next H (fun s => sq (fun i => g H s i - D (theta H) i)) <= variance.

  (** The constants of the notes (recursion form). *)
  Let b := beta2 / (1 - beta2).
  Let r := beta1 / (1 - beta1) * c.                    (* its square is alpha^2 beta1^2 *)
  Definition C_delta := 2 * (r * r) + 2 * ((b + c) * (b + c)).
  Definition C_zero := b + 2 * (c * c) / (1 - beta1).
  Definition C_noise := 2 * (c * c) * (1 - beta1) + (1 - beta2) * ((1 - c) * (1 - c)).

  Hypothesis step_1 : L * eta * q_max <= 1 / 2.
  Hypothesis step_2 : C_delta * ((eta * q_max * L) * (eta * q_max * L)) <= 1 / 2.

  Let A := eta * q_max / (2 * (1 - beta2)).
  Let B := eta * q_max * (c * c) / (1 - beta1).

  Definition before (H : list S) : vec := match H with [] => D (theta []) | _ :: H' => D (theta H') end.
  Definition weighted (H : list S) : R := sum n (fun i => Q H i * (m H i * m H i)).
  Definition Psi (H : list S) : R :=
    f (theta H) + A * beta2 * sq (fun i => m H i - before H i) + B * sq (fun i => h H i - before H i)
    + eta / 4 * weighted H.

  (** *** Small facts *)
  Lemma sq_nonneg x : 0 <= sq x.
  Proof. apply sum_nonneg; intros; nra. Qed.

  Lemma next_plus H X Y : next H (fun s => X s + Y s) = next H X + next H Y.
  Proof. apply mean_plus. Qed.
  Lemma next_scal H k X : next H (fun s => k * X s) = k * next H X.
  Proof. apply mean_scal. Qed.
  Lemma next_const H k : next H (fun _ => k) = k.
  Proof. unfold next. rewrite mean_const, w_total. ring. Qed.
  Lemma next_le H X Y : (forall s, X s <= Y s) -> next H X <= next H Y.
  Proof. apply mean_le, w_nonneg. Qed.
  Lemma next_ext H X Y : (forall s, X s = Y s) -> next H X = next H Y.
  Proof. apply mean_ext. Qed.

  Lemma q_max_pos : (0 < n)%nat -> 0 < q_max.
  Proof. intros Hn. destruct (Q_bounds [] 0%nat Hn). lra. Qed.

  (** *** N-a: descent, pathwise, before any expectation *)
  Lemma descent H s :
    f (theta (s :: H)) + eta / 4 * weighted (s :: H)
    <= f (theta H) - eta / 2 * q_min * sq (D (theta H))
       + eta / 2 * q_max * sq (fun i => m (s :: H) i - D (theta H) i).
  Proof.
    pose proof (upper (theta H) (theta (s :: H))) as U.
    set (d := D (theta H)) in *. set (x := m (s :: H)). set (q := Q (s :: H)).
    assert (K : dot d (fun i => theta (s :: H) i - theta H i) + L / 2 * sq (fun i => theta (s :: H) i - theta H i)
                + eta / 4 * weighted (s :: H)
                <= - (eta / 2 * q_min * sq d) + eta / 2 * q_max * sq (fun i => x i - d i)).
    { unfold dot, sq, weighted. fold x q.
      rewrite <- !sum_scal.
      replace (- sum n (fun i => eta / 2 * q_min * (d i * d i)))
        with (sum n (fun i => - (eta / 2 * q_min) * (d i * d i))) by (rewrite !sum_scal; ring).
      rewrite <- !sum_plus. apply sum_le; intros i Hi. rewrite theta_S. fold x q.
      destruct (Q_bounds (s :: H) i Hi) as [q1 q2]. fold q in q1, q2.
      assert (L * eta * q i <= 1 / 2).
      { eapply Rle_trans; [|exact step_1]. apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|exact q2]. }
      assert (E : - (eta / 2 * q_min) * (d i * d i) + eta / 2 * q_max * ((x i - d i) * (x i - d i))
                  - (d i * (theta H i - eta * q i * x i - theta H i)
                     + L / 2 * ((theta H i - eta * q i * x i - theta H i) * (theta H i - eta * q i * x i - theta H i))
                     + eta / 4 * (q i * (x i * x i)))
                  = eta / 2 * (q i - q_min) * (d i * d i) + eta / 2 * (q_max - q i) * ((x i - d i) * (x i - d i))
                    + eta / 2 * (1 / 2 - L * eta * q i) * (q i * (x i * x i))) by field.
      assert (0 <= eta / 2 * (q i - q_min) * (d i * d i)) by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply Rle_0_sqr]).
      assert (0 <= eta / 2 * (q_max - q i) * ((x i - d i) * (x i - d i)))
        by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply Rle_0_sqr]).
      assert (0 <= eta / 2 * (1 / 2 - L * eta * q i) * (q i * (x i * x i)))
        by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply Rmult_le_pos; [lra|apply Rle_0_sqr]]).
      lra. }
    lra.
  Qed.

  (** *** The estimation errors, one step *)
  Section Errors.
    Variable H : list S.
    Let d := D (theta H).
    Let e := fun i => m H i - before H i.
    Let z := fun i => h H i - before H i.
    Let delta := fun i => before H i - d i.
    Let xi := fun s i => g H s i - d i.

    Lemma split_square (rest : vec) (k : R) :
      next H (fun s => sq (fun i => rest i + k * xi s i)) <= sq rest + k * k * variance.
    Proof.
      assert (E : forall s, sq (fun i => rest i + k * xi s i)
                  = sq rest + (2 * k * dot rest (xi s) + k * k * sq (xi s))).
      { intros s. unfold sq, dot. rewrite <- !sum_scal, <- !sum_plus. apply sum_ext; intros; ring. }
      rewrite (next_ext _ _ _ E), !next_plus, !next_scal, next_const.
      assert (Z : next H (fun s => dot rest (xi s)) = 0).
      { unfold dot, next. rewrite mean_sum. rewrite <- (sum_zero n). apply sum_ext; intros i _.
        rewrite mean_scal. unfold xi, d. change (rest i * next H (fun s => g H s i - D (theta H) i) = 0).
        rewrite unbiased. ring. }
      rewrite Z. assert (k * k * next H (fun s => sq (xi s)) <= k * k * variance)
        by (apply Rmult_le_compat_l; [nra|exact (noise H)]). lra.
    Qed.

    Lemma error_m :
      next H (fun s => sq (fun i => m (s :: H) i - d i))
      <= beta2 * sq e + 2 * (1 - beta2) * (c * c) * sq z
         + 2 * (1 - beta2) * ((b + c) * (b + c)) * sq delta
         + (1 - beta2) * (1 - beta2) * ((1 - c) * (1 - c)) * variance.
    Proof.
      set (rest := fun i => beta2 * e i + (1 - beta2) * ((b + c) * delta i + c * z i)).
      assert (E : forall s, sq (fun i => m (s :: H) i - d i)
                            = sq (fun i => rest i + (1 - beta2) * (1 - c) * xi s i)).
      { intros s. unfold sq. apply sum_ext; intros i _. rewrite m_S. unfold rest, e, z, delta, xi, b. field. lra. }
      rewrite (next_ext _ _ _ E). eapply Rle_trans; [apply split_square|].
      assert (sq rest <= beta2 * sq e + 2 * (1 - beta2) * (c * c) * sq z
                         + 2 * (1 - beta2) * ((b + c) * (b + c)) * sq delta).
      { unfold sq. rewrite <- !sum_scal, <- !sum_plus. apply sum_le; intros i _. unfold rest.
        set (y := (b + c) * delta i). set (t := c * z i). set (p := e i).
        replace (2 * (1 - beta2) * (c * c) * (z i * z i)) with (2 * (1 - beta2) * (t * t)) by (unfold t; ring).
        replace (2 * (1 - beta2) * ((b + c) * (b + c)) * (delta i * delta i))
          with (2 * (1 - beta2) * (y * y)) by (unfold y; ring).
        assert (beta2 * (p * p) + 2 * (1 - beta2) * (t * t) + 2 * (1 - beta2) * (y * y)
                - (beta2 * p + (1 - beta2) * (y + t)) * (beta2 * p + (1 - beta2) * (y + t))
                = beta2 * (1 - beta2) * ((p - y - t) * (p - y - t)) + (1 - beta2) * ((y - t) * (y - t))) by ring.
        assert (0 <= beta2 * (1 - beta2) * ((p - y - t) * (p - y - t)))
          by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply Rle_0_sqr]).
        assert (0 <= (1 - beta2) * ((y - t) * (y - t))) by (apply Rmult_le_pos; [lra|apply Rle_0_sqr]).
        lra. }
      nra.
    Qed.

    Lemma error_h :
      next H (fun s => sq (fun i => h (s :: H) i - d i))
      <= beta1 * sq z + beta1 * beta1 / (1 - beta1) * sq delta + (1 - beta1) * (1 - beta1) * variance.
    Proof.
      set (rest := fun i => beta1 * (z i + delta i)).
      assert (E : forall s, sq (fun i => h (s :: H) i - d i) = sq (fun i => rest i + (1 - beta1) * xi s i)).
      { intros s. unfold sq. apply sum_ext; intros i _. rewrite h_S. unfold rest, z, delta, xi. ring. }
      rewrite (next_ext _ _ _ E). eapply Rle_trans; [apply split_square|].
      assert (sq rest <= beta1 * sq z + beta1 * beta1 / (1 - beta1) * sq delta).
      { unfold sq. rewrite <- !sum_scal, <- !sum_plus. apply sum_le; intros i _. unfold rest.
        assert (beta1 * (z i * z i) + beta1 * beta1 / (1 - beta1) * (delta i * delta i)
                - beta1 * (z i + delta i) * (beta1 * (z i + delta i))
                = beta1 / (1 - beta1)
                  * (((1 - beta1) * z i - beta1 * delta i) * ((1 - beta1) * z i - beta1 * delta i))) by (field; lra).
        assert (0 <= beta1 / (1 - beta1)
                  * (((1 - beta1) * z i - beta1 * delta i) * ((1 - beta1) * z i - beta1 * delta i))).
        { apply Rmult_le_pos; [apply Rmult_le_pos; [lra|left; apply Rinv_0_lt_compat; lra]|apply Rle_0_sqr]. }
        lra. }
      lra.
    Qed.

    (** The gradient moves little: by the last step. *)
    Lemma drift : sq delta <= L * L * (eta * eta) * q_max * weighted H.
    Proof.
      unfold delta, d. destruct H as [|s H'].
      - simpl. replace (sq _) with 0 by (unfold sq; rewrite <- (sum_zero n); apply sum_ext; intros; ring).
        unfold weighted. replace (sum n _) with 0
          by (rewrite <- (sum_zero n); apply sum_ext; intros; rewrite m_0; ring). lra.
      - simpl. eapply Rle_trans; [apply lipschitz|]. rewrite !Rmult_assoc.
        apply Rmult_le_compat_l; [lra|]. apply Rmult_le_compat_l; [lra|].
        unfold sq, weighted. rewrite <- !sum_scal. apply sum_le; intros i Hi. rewrite theta_S.
        destruct (Q_bounds (s :: H') i Hi) as [q1 q2].
        set (q := Q (s :: H') i) in *. set (x := m (s :: H') i).
        assert (0 <= q * (x * x)) by (apply Rmult_le_pos; [lra|apply Rle_0_sqr]).
        assert (q * (q * (x * x)) <= q_max * (q * (x * x))) by (apply Rmult_le_compat_r; lra).
        replace ((theta H' i - (theta H' i - eta * q * x)) * (theta H' i - (theta H' i - eta * q * x)))
          with (eta * eta * (q * (q * (x * x)))) by ring.
        assert (0 <= eta * eta) by nra. nra.
    Qed.
  End Errors.

  (** *** One step of the Lyapunov function *)
  Lemma AB_nonneg : (0 < n)%nat -> 0 <= A /\ 0 <= B.
  Proof.
    intros Hn. pose proof (q_max_pos Hn). split; unfold A, B.
    - apply Rmult_le_pos; [nra|left; apply Rinv_0_lt_compat; lra].
    - apply Rmult_le_pos; [apply Rmult_le_pos; nra|left; apply Rinv_0_lt_compat; lra].
  Qed.

  Theorem one_step H : (0 < n)%nat ->
    next H (fun s => Psi (s :: H))
    <= Psi H - eta / 2 * q_min * sq (D (theta H)) + eta * q_max / 2 * C_noise * variance.
  Proof.
    intros Hn. destruct (AB_nonneg Hn) as [HA HB]. pose proof (q_max_pos Hn) as Hq.
    set (d := D (theta H)).
    eapply Rle_trans with (next H (fun s =>
      (f (theta H) - eta / 2 * q_min * sq d)
      + (A * sq (fun i => m (s :: H) i - d i) + B * sq (fun i => h (s :: H) i - d i)))).
    { apply next_le; intros s. unfold Psi. simpl before. fold d. pose proof (descent H s) as K. fold d in K.
      set (X := sq (fun i => m (s :: H) i - d i)) in *.
      assert (EA : A * X = eta / 2 * q_max * X + A * beta2 * X) by (unfold A; field; lra). lra. }
    rewrite !next_plus, !next_scal, next_const.
    pose proof (error_m H) as Em. pose proof (error_h H) as Eh. fold d in Em, Eh.
    pose proof (drift H) as Ed. fold d in Ed.
    unfold Psi.
    set (e2 := sq (fun i => m H i - before H i)) in *. set (z2 := sq (fun i => h H i - before H i)) in *.
    set (d2 := sq (fun i => before H i - d i)) in *.
    assert (A * next H (fun s => sq (fun i => m (s :: H) i - d i)) <=
            A * (beta2 * e2 + 2 * (1 - beta2) * (c * c) * z2 + 2 * (1 - beta2) * ((b + c) * (b + c)) * d2
                 + (1 - beta2) * (1 - beta2) * ((1 - c) * (1 - c)) * variance))
      by (apply Rmult_le_compat_l; assumption).
    assert (B * next H (fun s => sq (fun i => h (s :: H) i - d i)) <=
            B * (beta1 * z2 + beta1 * beta1 / (1 - beta1) * d2 + (1 - beta1) * (1 - beta1) * variance))
      by (apply Rmult_le_compat_l; assumption).
    assert (E : A * (beta2 * e2 + 2 * (1 - beta2) * (c * c) * z2 + 2 * (1 - beta2) * ((b + c) * (b + c)) * d2
                     + (1 - beta2) * (1 - beta2) * ((1 - c) * (1 - c)) * variance)
                + B * (beta1 * z2 + beta1 * beta1 / (1 - beta1) * d2 + (1 - beta1) * (1 - beta1) * variance)
                = A * beta2 * e2 + B * z2 + eta * q_max / 2 * C_delta * d2 + eta * q_max / 2 * C_noise * variance)
      by (unfold A, B, C_delta, C_noise, r; field; lra).
    assert (eta * q_max / 2 * C_delta * d2 <= eta / 4 * weighted H).
    { assert (0 <= C_delta).
      { unfold C_delta. pose proof (Rle_0_sqr r). pose proof (Rle_0_sqr (b + c)). unfold Rsqr in *. lra. }
      assert (0 <= weighted H).
      { apply sum_nonneg; intros i Hi. destruct (Q_bounds H i Hi). apply Rmult_le_pos; [lra|apply Rle_0_sqr]. }
      eapply Rle_trans.
      - apply Rmult_le_compat_l; [|exact Ed].
        apply Rmult_le_pos; [apply Rmult_le_pos; [apply Rmult_le_pos|]; lra|assumption].
      - replace (eta * q_max / 2 * C_delta * (L * L * (eta * eta) * q_max * weighted H))
          with (eta / 2 * (C_delta * (eta * q_max * L * (eta * q_max * L))) * weighted H) by field.
        replace (eta / 4 * weighted H) with (eta / 2 * (1 / 2) * weighted H) by field.
        apply Rmult_le_compat_r; [assumption|]. apply Rmult_le_compat_l; [lra|exact step_2]. }
    lra.
  Qed.

  (** *** Summing up *)
  Lemma expect_const k H x : expect k H (fun _ => x) = x.
  Proof.
    revert H; induction k; intros H; simpl; [reflexivity|].
    rewrite (next_ext _ _ (fun _ => x)); [apply next_const|auto].
  Qed.

  Lemma expect_le k H X Y : (forall K, X K <= Y K) -> expect k H X <= expect k H Y.
  Proof. intros HXY. revert H; induction k; intros H; simpl; [apply HXY|]. apply next_le; auto. Qed.

  Lemma next_sum H T (F : S -> nat -> R) : next H (fun s => sum T (F s)) = sum T (fun k => next H (fun s => F s k)).
  Proof. apply mean_sum. Qed.

  Lemma sum_shift T F : sum (Datatypes.S T) F = F 0%nat + sum T (fun k => F (Datatypes.S k)).
  Proof. induction T; [simpl; ring|]. rewrite sum_S, IHT, sum_S. ring. Qed.

  Lemma summed T H : (0 < n)%nat ->
    eta / 2 * q_min * sum T (fun k => expect k H (fun K => sq (D (theta K))))
    <= Psi H - expect T H Psi + INR T * (eta * q_max / 2 * C_noise * variance).
  Proof.
    intros Hn. set (v := eta * q_max / 2 * C_noise * variance). revert H; induction T; intros H; [simpl; lra|].
    rewrite sum_shift, S_INR. simpl expect.
    rewrite <- (next_sum H T (fun s k => expect k (s :: H) (fun K => sq (D (theta K))))).
    assert (K : next H (fun s => eta / 2 * q_min * sum T (fun k => expect k (s :: H) (fun K => sq (D (theta K)))))
                <= next H (fun s => Psi (s :: H) + (- 1 * expect T (s :: H) Psi + INR T * v))).
    { apply next_le; intros s. pose proof (IHT (s :: H)). lra. }
    rewrite next_scal, !next_plus, next_scal, next_const in K.
    pose proof (one_step H Hn) as O. fold v in O. lra.
  Qed.

  (** Theorem N, the bound on the mean squared gradient. *)
  Theorem theorem_N T : (0 < n)%nat -> (0 < T)%nat ->
    sum T (fun k => expect k [] (fun H => sq (D (theta H)))) / INR T
    <= 2 * (f (theta []) - f_inf) / (eta * q_min * INR T)
       + q_max / q_min * (C_noise * variance + C_zero * sq (D (theta [])) / INR T).
  Proof.
    intros Hn HT. pose proof (summed T [] Hn) as K. pose proof (q_max_pos Hn) as Hq.
    destruct (AB_nonneg Hn) as [HA HB].
    assert (P : f_inf <= expect T [] Psi).
    { rewrite <- (expect_const T [] f_inf). apply expect_le; intros H. unfold Psi.
      pose proof (bounded_below (theta H)). pose proof (sq_nonneg (fun i => m H i - before H i)).
      pose proof (sq_nonneg (fun i => h H i - before H i)).
      assert (0 <= weighted H).
      { apply sum_nonneg; intros i Hi. destruct (Q_bounds H i Hi). apply Rmult_le_pos; [lra|apply Rle_0_sqr]. }
      assert (0 <= A * beta2 * sq (fun i => m H i - before H i)) by (apply Rmult_le_pos; [nra|assumption]).
      assert (0 <= B * sq (fun i => h H i - before H i)) by (apply Rmult_le_pos; assumption).
      assert (0 <= eta / 4 * weighted H) by (apply Rmult_le_pos; [lra|assumption]). lra. }
    assert (P0 : Psi [] = f (theta []) + eta * q_max / 2 * C_zero * sq (D (theta []))).
    { unfold Psi, weighted. simpl before.
      replace (sq (fun i => m [] i - D (theta []) i)) with (sq (D (theta [])))
        by (unfold sq; apply sum_ext; intros; rewrite m_0; ring).
      replace (sq (fun i => h [] i - D (theta []) i)) with (sq (D (theta [])))
        by (unfold sq; apply sum_ext; intros; rewrite h_0; ring).
      replace (sum n (fun i => Q [] i * (m [] i * m [] i))) with 0
        by (rewrite <- (sum_zero n); apply sum_ext; intros; rewrite m_0; ring).
      unfold A, B, C_zero, b. field. lra. }
    assert (HTR : 0 < INR T) by (apply lt_0_INR; assumption).
    set (G := sum T (fun k => expect k [] (fun H => sq (D (theta H))))) in *.
    set (d1 := sq (D (theta []))) in *.
    assert (K' : eta / 2 * q_min * G <= f (theta []) - f_inf + eta * q_max / 2 * C_zero * d1
                                        + INR T * (eta * q_max / 2 * C_noise * variance)) by lra.
    apply Rmult_le_reg_l with (eta / 2 * q_min * INR T); [apply Rmult_lt_0_compat; nra|].
    replace (eta / 2 * q_min * INR T * (G / INR T)) with (eta / 2 * q_min * G) by (field; lra).
    eapply Rle_trans; [exact K'|]. apply Req_le. field. split; lra.
  Qed.
End TheoremN.
