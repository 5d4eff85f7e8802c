(** Theorem N (non-convex), for any method theta' = theta - eta Q (m + P theta) with diagonal Q and P that are chosen after
    the draw: from one Lyapunov inequality. P regularises: it stands for gamma_k W_k of decoupled weight decay, and 0
    without. *)
From Coq Require Import Reals Lra Lia List.
From Proofs Require Import Sums Vectors Smooth Tree.
Import ListNotations.
Local Open Scope R_scope.

(** The constants of the tracking error in terms of c = -alpha (1 - beta1). *)
Definition C_delta beta1 beta2 c : R :=
  let r := beta1 / (1 - beta1) * c in let b := beta2 / (1 - beta2) in 2 * (r * r) + 2 * ((b + c) * (b + c)).
Definition C_zero beta1 beta2 c : R := beta2 / (1 - beta2) + 2 * (c * c) / (1 - beta1).
Definition C_noise beta1 beta2 c : R := 2 * (c * c) * (1 - beta1) + (1 - beta2) * ((1 - c) * (1 - c)).

Section TheoremN.
  Variable n : nat.                                     (* dimension *)
  Variables (f : vec -> R) (D : vec -> vec) (L f_inf : R).
  Hypotheses (L_nonneg : 0 <= L) (f_smooth : smooth n f D L) (bounded_below : forall x, f_inf <= f x).
  Context {S : Type}.
  Variables (outs : list S -> list S) (w : list S -> S -> R).
  Hypothesis proper : probabilities outs w.
  Let next := next outs w.
  Let expect := expect outs w.

  Variables (beta1 beta2 c eta q_min q_max p_max : R).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (eta_pos : 0 < eta) (q_pos : 0 < q_min).
  Variables (g : list S -> S -> vec) (theta h m Q P : list S -> vec).
  Hypothesis h_0 : forall i, h [] i = 0.
  Hypothesis m_0 : forall i, m [] i = 0.
  Hypothesis h_S : forall H s i, h (s :: H) i = beta1 * h H i + (1 - beta1) * g H s i.
  Hypothesis m_S : forall H s i,
    m (s :: H) i = beta2 * m H i + (1 - beta2) * ((1 - c) * g H s i + c * h H i).
  Hypothesis theta_S : forall H s i,
    theta (s :: H) i = theta H i - eta * Q (s :: H) i * (m (s :: H) i + P (s :: H) i * theta H i).
  Hypothesis Q_bounds : forall H s i, (i < n)%nat -> q_min <= Q (s :: H) i <= q_max.
  (** The regulariser does not grow along any path; P [] is what it starts from. *)
  Hypothesis P_bounds : forall H i, (i < n)%nat -> 0 <= P H i <= p_max.
  Hypothesis P_falls : forall H s i, (i < n)%nat -> P (s :: H) i <= P H i.

  (** The gradient estimate: unbiased given the past, with bounded variance. No independence. *)
  Variable variance : R.
  Hypothesis unbiased : forall H i, next H (fun s => g H s i - D (theta H) i) = 0.
  Hypothesis noise : forall H, next H (fun s => sq n (fun i => g H s i - D (theta H) i)) <= variance.

  Let Cd := C_delta beta1 beta2 c.
  Let C0 := C_zero beta1 beta2 c.
  Let Cs := C_noise beta1 beta2 c.
  Hypothesis step_1 : (L + p_max) * eta * q_max <= 1 / 2.
  Hypothesis step_2 : Cd * ((eta * q_max * L) * (eta * q_max * L)) <= 1 / 2.

  Let A := eta * q_max / (2 * (1 - beta2)).
  Let B := eta * q_max * (c * c) / (1 - beta1).
  Let b := beta2 / (1 - beta2).

  Definition before (H : list S) : vec := match H with [] => D (theta []) | _ :: H' => D (theta H') end.
  (** The last direction, and the gradient of the last regularised objective f + |theta|_P^2 / 2. *)
  Definition direction (H : list S) : vec :=
    match H with [] => fun _ => 0 | _ :: K => fun i => m H i + P H i * theta K i end.
  Definition regular (H : list S) : vec :=
    match H with [] => D (theta []) | _ :: K => fun i => D (theta K) i + P H i * theta K i end.
  Definition weighted (H : list S) : R := sum n (fun i => Q H i * (direction H i * direction H i)).
  Definition penalty (H : list S) (x : vec) : R := sum n (fun i => P H i * (x i * x i)) / 2.
  Definition Psi (H : list S) : R :=
    f (theta H) + penalty H (theta H) + A * beta2 * sq n (fun i => m H i - before H i)
    + B * sq n (fun i => h H i - before H i) + eta / 4 * weighted H.

  Lemma q_max_pos : (0 < n)%nat -> S -> 0 < q_max.
  Proof. intros Hn s. destruct (Q_bounds [] s 0%nat Hn). lra. Qed.

  Lemma weighted_nonneg H : 0 <= weighted H.
  Proof.
    apply sum_nonneg; intros i Hi. destruct H as [|s K]; [simpl; lra|].
    destruct (Q_bounds K s i Hi). apply Rmult_le_pos; [lra|apply square_nonneg].
  Qed.

  (** *** N-a: descent, pathwise, before any expectation *)
  Lemma descent H s :
    f (theta (s :: H)) + penalty (s :: H) (theta (s :: H)) + eta / 4 * weighted (s :: H)
    <= f (theta H) + penalty H (theta H) - eta / 2 * q_min * sq n (regular (s :: H))
       + eta / 2 * q_max * sq n (fun i => m (s :: H) i - D (theta H) i).
  Proof.
    pose proof (smooth_upper n f D L f_smooth (theta H) (theta (s :: H))) as U.
    set (d := D (theta H)) in *.
    assert (K : dot n d (fun i => theta (s :: H) i - theta H i) + L / 2 * sq n (fun i => theta (s :: H) i - theta H i)
                + penalty (s :: H) (theta (s :: H)) + eta / 4 * weighted (s :: H)
                <= penalty H (theta H) - eta / 2 * q_min * sq n (regular (s :: H))
                   + eta / 2 * q_max * sq n (fun i => m (s :: H) i - d i)); [|lra].
    unfold dot, sq, weighted, penalty, regular, direction. fold d.
    rewrite <- !sum_scal. unfold Rdiv at 2 4. rewrite !(Rmult_comm (sum n _) (/ 2)), <- !sum_scal.
    rewrite <- sum_minus, <- !sum_plus. apply sum_le; intros i Hi. rewrite theta_S.
    destruct (Q_bounds H s i Hi) as [q1 q2]. destruct (P_bounds (s :: H) i Hi) as [p0 p1]. pose proof (P_falls H s i Hi) as pf.
    set (q := Q (s :: H) i) in *. set (p := P (s :: H) i) in *. set (p' := P H i) in *.
    set (x := m (s :: H) i). set (y := theta H i). set (v := d i).
    assert (K1 : (L + p) * eta * q <= 1 / 2).
    { eapply Rle_trans; [|exact step_1]. repeat apply Rmult_le_compat; try lra. apply Rmult_le_pos; lra. }
    assert (E : / 2 * (p' * (y * y)) - eta / 2 * q_min * ((v + p * y) * (v + p * y)) + eta / 2 * q_max * ((x - v) * (x - v))
                - (v * (y - eta * q * (x + p * y) - y)
                   + L / 2 * ((y - eta * q * (x + p * y) - y) * (y - eta * q * (x + p * y) - y))
                   + / 2 * (p * ((y - eta * q * (x + p * y)) * (y - eta * q * (x + p * y))))
                   + eta / 4 * (q * ((x + p * y) * (x + p * y))))
                = / 2 * (p' - p) * (y * y) + eta / 2 * (q - q_min) * ((v + p * y) * (v + p * y))
                  + eta / 2 * (q_max - q) * ((x - v) * (x - v))
                  + eta / 2 * (1 / 2 - (L + p) * eta * q) * (q * ((x + p * y) * (x + p * y)))) by field.
    assert (0 <= / 2 * (p' - p) * (y * y)) by (apply Rmult_le_pos; [lra|apply square_nonneg]).
    assert (0 <= eta / 2 * (q - q_min) * ((v + p * y) * (v + p * y)))
      by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply square_nonneg]).
    assert (0 <= eta / 2 * (q_max - q) * ((x - v) * (x - v)))
      by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply square_nonneg]).
    assert (0 <= eta / 2 * (1 / 2 - (L + p) * eta * q) * (q * ((x + p * y) * (x + p * y))))
      by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply Rmult_le_pos; [lra|apply square_nonneg]]).
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

    Lemma error_m :
      next H (fun s => sq n (fun i => m (s :: H) i - d i))
      <= beta2 * sq n e + 2 * (1 - beta2) * (c * c) * sq n z
         + 2 * (1 - beta2) * ((b + c) * (b + c)) * sq n delta
         + (1 - beta2) * (1 - beta2) * ((1 - c) * (1 - c)) * variance.
    Proof.
      set (rest := fun i => beta2 * e i + (1 - beta2) * ((b + c) * delta i + c * z i)).
      assert (E : forall s, sq n (fun i => m (s :: H) i - d i)
                            = sq n (fun i => rest i + (1 - beta2) * (1 - c) * xi s i)).
      { intros s. apply sq_ext; intros i _. rewrite m_S. unfold rest, e, z, delta, xi, b. field. lra. }
      unfold next. rewrite (next_ext _ _ _ _ _ E). eapply Rle_trans; [apply (next_square outs w proper)|].
      - apply unbiased.
      - apply noise.
      - assert (sq n rest <= beta2 * sq n e + 2 * (1 - beta2) * (c * c) * sq n z
                           + 2 * (1 - beta2) * ((b + c) * (b + c)) * sq n delta); [|nra].
        unfold sq. rewrite <- !sum_scal, <- !sum_plus. apply sum_le; intros i _. unfold rest.
        set (y := (b + c) * delta i). set (t := c * z i). set (p := e i).
        replace (2 * (1 - beta2) * (c * c) * (z i * z i)) with (2 * (1 - beta2) * (t * t)) by (unfold t; ring).
        replace (2 * (1 - beta2) * ((b + c) * (b + c)) * (delta i * delta i))
          with (2 * (1 - beta2) * (y * y)) by (unfold y; ring).
        assert (beta2 * (p * p) + 2 * (1 - beta2) * (t * t) + 2 * (1 - beta2) * (y * y)
                - (beta2 * p + (1 - beta2) * (y + t)) * (beta2 * p + (1 - beta2) * (y + t))
                = beta2 * (1 - beta2) * ((p - y - t) * (p - y - t)) + (1 - beta2) * ((y - t) * (y - t))) by ring.
        assert (0 <= beta2 * (1 - beta2) * ((p - y - t) * (p - y - t)))
          by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply square_nonneg]).
        assert (0 <= (1 - beta2) * ((y - t) * (y - t))) by (apply Rmult_le_pos; [lra|apply square_nonneg]).
        lra.
    Qed.

    Lemma error_h :
      next H (fun s => sq n (fun i => h (s :: H) i - d i))
      <= beta1 * sq n z + beta1 * beta1 / (1 - beta1) * sq n delta + (1 - beta1) * (1 - beta1) * variance.
    Proof.
      set (rest := fun i => beta1 * (z i + delta i)).
      assert (E : forall s, sq n (fun i => h (s :: H) i - d i) = sq n (fun i => rest i + (1 - beta1) * xi s i)).
      { intros s. apply sq_ext; intros i _. rewrite h_S. unfold rest, z, delta, xi. ring. }
      unfold next. rewrite (next_ext _ _ _ _ _ E). eapply Rle_trans; [apply (next_square outs w proper)|].
      - apply unbiased.
      - apply noise.
      - assert (sq n rest <= beta1 * sq n z + beta1 * beta1 / (1 - beta1) * sq n delta); [|lra].
        unfold sq. rewrite <- !sum_scal, <- !sum_plus. apply sum_le; intros i _. unfold rest.
        assert (beta1 * (z i * z i) + beta1 * beta1 / (1 - beta1) * (delta i * delta i)
                - beta1 * (z i + delta i) * (beta1 * (z i + delta i))
                = beta1 / (1 - beta1)
                  * (((1 - beta1) * z i - beta1 * delta i) * ((1 - beta1) * z i - beta1 * delta i))) by (field; lra).
        assert (0 <= beta1 / (1 - beta1)
                  * (((1 - beta1) * z i - beta1 * delta i) * ((1 - beta1) * z i - beta1 * delta i))).
        { apply Rmult_le_pos; [apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]|apply square_nonneg]. }
        lra.
    Qed.

    (** The gradient moves little: by the last step. *)
    Lemma drift : sq n delta <= L * L * (eta * eta) * q_max * weighted H.
    Proof.
      unfold delta, d. destruct H as [|s H'].
      - simpl. replace (sq n _) with 0 by (unfold sq; rewrite <- (sum_zero n); apply sum_ext; intros; ring).
        unfold weighted. simpl. rewrite (sum_ext n _ (fun _ => 0)) by (intros; ring). rewrite sum_zero. lra.
      - simpl. eapply Rle_trans; [apply (smooth_lipschitz n f D L f_smooth L_nonneg)|]. rewrite !Rmult_assoc.
        apply Rmult_le_compat_l; [lra|]. apply Rmult_le_compat_l; [lra|].
        unfold sq, weighted. rewrite <- !sum_scal. apply sum_le; intros i Hi. rewrite theta_S. simpl direction.
        destruct (Q_bounds H' s i Hi) as [q1 q2].
        set (q := Q (s :: H') i) in *. set (x := m (s :: H') i + P (s :: H') i * theta H' i).
        assert (0 <= q * (x * x)) by (apply Rmult_le_pos; [lra|apply square_nonneg]).
        assert (q * (q * (x * x)) <= q_max * (q * (x * x))) by (apply Rmult_le_compat_r; lra).
        replace ((theta H' i - (theta H' i - eta * q * x)) * (theta H' i - (theta H' i - eta * q * x)))
          with (eta * eta * (q * (q * (x * x)))) by ring.
        assert (0 <= eta * eta) by nra. nra.
    Qed.
  End Errors.

  (** *** One step of the Lyapunov function *)
  Section Steps.
    Hypothesis q_max_nonneg : 0 < q_max.

    Lemma AB_nonneg : 0 <= A /\ 0 <= B.
    Proof.
      split; unfold A, B.
      - apply Rmult_le_pos; [nra|apply inverse_nonneg; lra].
      - apply Rmult_le_pos; [apply Rmult_le_pos; nra|apply inverse_nonneg; lra].
    Qed.

    Theorem one_step H :
      next H (fun s => Psi (s :: H) + eta / 2 * q_min * sq n (regular (s :: H)))
      <= Psi H + eta * q_max / 2 * Cs * variance.
    Proof.
      destruct AB_nonneg as [HA HB]. set (d := D (theta H)).
      eapply Rle_trans with (next H (fun s =>
        (f (theta H) + penalty H (theta H))
        + (A * sq n (fun i => m (s :: H) i - d i) + B * sq n (fun i => h (s :: H) i - d i)))).
      { apply (next_le outs w proper); intros s. unfold Psi. simpl before. fold d. pose proof (descent H s) as K. fold d in K.
        set (X := sq n (fun i => m (s :: H) i - d i)) in *.
        assert (EA : A * X = eta / 2 * q_max * X + A * beta2 * X) by (unfold A; field; lra). lra. }
      unfold next. rewrite !next_plus, !next_scal, !(next_const outs w proper).
      pose proof (error_m H) as Em. pose proof (error_h H) as Eh. fold d in Em, Eh.
      pose proof (drift H) as Ed. fold d in Ed. pose proof (weighted_nonneg H) as Wn.
      unfold Psi. fold next.
      set (e2 := sq n (fun i => m H i - before H i)) in *. set (z2 := sq n (fun i => h H i - before H i)) in *.
      set (d2 := sq n (fun i => before H i - d i)) in *.
      apply (Rmult_le_compat_l A) in Em; [|exact HA]. apply (Rmult_le_compat_l B) in Eh; [|exact HB].
      assert (E : A * (beta2 * e2 + 2 * (1 - beta2) * (c * c) * z2 + 2 * (1 - beta2) * ((b + c) * (b + c)) * d2
                       + (1 - beta2) * (1 - beta2) * ((1 - c) * (1 - c)) * variance)
                  + B * (beta1 * z2 + beta1 * beta1 / (1 - beta1) * d2 + (1 - beta1) * (1 - beta1) * variance)
                  = A * beta2 * e2 + B * z2 + eta * q_max / 2 * Cd * d2 + eta * q_max / 2 * Cs * variance)
        by (unfold A, B, Cd, Cs, C_delta, C_noise, b; field; lra).
      assert (eta * q_max / 2 * Cd * d2 <= eta / 4 * weighted H).
      { assert (0 <= Cd).
        { unfold Cd, C_delta. cbv zeta. pose proof (square_nonneg (beta1 / (1 - beta1) * c)).
          pose proof (square_nonneg (beta2 / (1 - beta2) + c)). lra. }
        eapply Rle_trans.
        - apply Rmult_le_compat_l; [|exact Ed].
          apply Rmult_le_pos; [apply Rmult_le_pos; [apply Rmult_le_pos|]; lra|assumption].
        - replace (eta * q_max / 2 * Cd * (L * L * (eta * eta) * q_max * weighted H))
            with (eta / 2 * (Cd * (eta * q_max * L * (eta * q_max * L))) * weighted H) by field.
          replace (eta / 4 * weighted H) with (eta / 2 * (1 / 2) * weighted H) by field.
          apply Rmult_le_compat_r; [assumption|]. apply Rmult_le_compat_l; [lra|exact step_2]. }
      lra.
    Qed.

    Lemma summed T H :
      eta / 2 * q_min * sum T (fun k => expect (Datatypes.S k) H (fun K => sq n (regular K)))
      <= Psi H - expect T H Psi + INR T * (eta * q_max / 2 * Cs * variance).
    Proof.
      set (v := eta * q_max / 2 * Cs * variance). revert H; induction T; intros H; [simpl; unfold expect; simpl; lra|].
      rewrite sum_first, S_INR. set (X := fun K => sq n (regular K)) in *.
      assert (Sh : sum T (fun k => expect (Datatypes.S (Datatypes.S k)) H X)
                   = next H (fun s => sum T (fun k => expect (Datatypes.S k) (s :: H) X)))
        by (unfold next; rewrite next_sum; reflexivity).
      rewrite Sh. change (expect 1 H X) with (next H (fun s => X (s :: H))).
      change (expect (Datatypes.S T) H Psi) with (next H (fun s => expect T (s :: H) Psi)).
      pose proof (one_step H) as O. fold v in O. unfold next in O |- *. rewrite next_plus, next_scal in O.
      assert (K : Tree.next outs w H (fun s => eta / 2 * q_min * sum T (fun k => expect (Datatypes.S k) (s :: H) X))
                  <= Tree.next outs w H (fun s => Psi (s :: H) + (- 1 * expect T (s :: H) Psi + INR T * v))).
      { apply (next_le outs w proper); intros s. pose proof (IHT (s :: H)). lra. }
      rewrite next_scal, !next_plus, next_scal, (next_const outs w proper) in K. unfold X. unfold X in K. lra.
    Qed.
  End Steps.

  (** Theorem N, the bound on the mean squared gradient of the regularised objectives. *)
  Theorem theorem_N T : (0 < n)%nat -> (0 < T)%nat ->
    sum T (fun k => expect (Datatypes.S k) [] (fun H => sq n (regular H))) / INR T
    <= 2 * (f (theta []) + penalty [] (theta []) - f_inf) / (eta * q_min * INR T)
       + q_max / q_min * (Cs * variance + C0 * sq n (D (theta [])) / INR T).
  Proof.
    intros Hn HT.
    assert (Hq : 0 < q_max).
    { destruct (outs []) as [|s o] eqn:E; [|exact (q_max_pos Hn s)].
      pose proof (proj2 proper []) as One. rewrite E in One. simpl in One. lra. }
    pose proof (summed Hq T []) as K. destruct (AB_nonneg Hq) as [HA HB].
    assert (Bound : f_inf <= expect T [] Psi).
    { rewrite <- (expect_const outs w proper T [] f_inf). apply (expect_le outs w proper); intros H. unfold Psi.
      pose proof (bounded_below (theta H)). pose proof (weighted_nonneg H).
      assert (0 <= penalty H (theta H)).
      { unfold penalty. assert (0 <= sum n (fun i => P H i * (theta H i * theta H i))); [|lra].
        apply sum_nonneg; intros i Hi. apply Rmult_le_pos; [apply P_bounds; exact Hi|apply square_nonneg]. }
      assert (0 <= A * beta2 * sq n (fun i => m H i - before H i)) by (apply Rmult_le_pos; [nra|apply sq_nonneg]).
      assert (0 <= B * sq n (fun i => h H i - before H i)) by (apply Rmult_le_pos; [assumption|apply sq_nonneg]).
      assert (0 <= eta / 4 * weighted H) by (apply Rmult_le_pos; [lra|assumption]). lra. }
    assert (P0 : Psi [] = f (theta []) + penalty [] (theta []) + eta * q_max / 2 * C0 * sq n (D (theta []))).
    { unfold Psi, weighted. simpl before. simpl direction.
      replace (sq n (fun i => m [] i - D (theta []) i)) with (sq n (D (theta [])))
        by (unfold sq; apply sum_ext; intros; rewrite m_0; ring).
      replace (sq n (fun i => h [] i - D (theta []) i)) with (sq n (D (theta [])))
        by (unfold sq; apply sum_ext; intros; rewrite h_0; ring).
      rewrite (sum_ext n (fun i => Q [] i * (0 * 0)) (fun _ => 0)) by (intros; ring). rewrite sum_zero.
      unfold A, B, C0, C_zero. field. lra. }
    assert (HTR : 0 < INR T) by (apply lt_0_INR; assumption).
    set (G := sum T _) in *. set (d1 := sq n (D (theta []))) in *. set (f1 := f (theta []) + penalty [] (theta [])) in *.
    assert (K' : eta / 2 * q_min * G <= f1 - f_inf + eta * q_max / 2 * C0 * d1
                                        + INR T * (eta * q_max / 2 * Cs * variance)) by lra.
    apply Rmult_le_reg_l with (eta / 2 * q_min * INR T); [apply Rmult_lt_0_compat; nra|].
    replace (eta / 2 * q_min * INR T * (G / INR T)) with (eta / 2 * q_min * G) by (field; lra).
    eapply Rle_trans; [exact K'|]. apply Req_le. field. split; lra.
  Qed.
End TheoremN.
