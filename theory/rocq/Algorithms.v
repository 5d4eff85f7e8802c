(** The paper's algorithms to the letter (two buffers: a and the previous gradient) on a tree of draws, and Theorem N for
    each: Algorithm 3 with normalised momentum (ESGD), EAdam and ALTO with and without bias correction (Algorithms 1, 2, 4),
    and with decoupled weight decay. *)
From Coq Require Import Reals Lra Lia List PeanoNat.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters Lemmas Methods Tree TheoremN.
Import ListNotations.
Local Open Scope R_scope.

Section Run.
  Context {S : Type}.
  (** A stochastic gradient: of the past draws, the point and the new draw. *)
  Variable G : list S -> vec -> S -> vec.
  Variables (alpha beta1 beta2 beta3 eta : R) (start : vec).
  (** The update of step k = 1, 2, ... from the point and the two moments. *)
  Variable update : nat -> vec -> vec -> vec -> vec.

  Record state := State { theta : vec; a : vec; last : vec; m : vec; v : vec }.

  Definition step (H : list S) (z : state) (s : S) : state :=
    let g := G H (theta z) s in
    let a' := fun i => beta1 * a z i + (1 - beta1) * (g i - last z i) in
    let u := fun i => g i + alpha * a' i in
    let m' := fun i => beta2 * m z i + (1 - beta2) * u i in
    let v' := fun i => beta3 * v z i + (1 - beta3) * (u i * u i) in
    State (fun i => theta z i - eta * update (Datatypes.S (length H)) (theta z) m' v' i) a' g m' v'.

  Fixpoint run (H : list S) : state :=
    match H with
    | [] => State start (fun _ => 0) (fun _ => 0) (fun _ => 0) (fun _ => 0)
    | s :: K => step K (run K) s
    end.

  (** *** Along a path a coordinate is a sequence, as in Adaptor *)
  Definition grad (H : list S) (s : S) : vec := G H (theta (run H)) s.
  Definition past (H : list S) (i j : nat) : R := last (run (skipn (length H - j) H)) i.

  Lemma past_0 H i : past H i 0 = 0.
  Proof. unfold past. rewrite Nat.sub_0_r, skipn_all. reflexivity. Qed.

  Lemma past_now H i : past H i (length H) = last (run H) i.
  Proof. unfold past. rewrite Nat.sub_diag. reflexivity. Qed.

  Lemma past_longer s H i j : (j <= length H)%nat -> past (s :: H) i j = past H i j.
  Proof. intros Hj. unfold past. simpl length. rewrite Nat.sub_succ_l by exact Hj. reflexivity. Qed.

  Lemma past_bounded H i bound : 0 <= bound -> (forall H x s i, Rabs (G H x s i) <= bound) ->
    forall j, Rabs (past H i j) <= bound.
  Proof.
    intros B0 B j. unfold past. destruct (skipn _ H); simpl; [rewrite Rabs_R0; exact B0|apply B].
  Qed.

  Lemma along H i :
    a (run H) i = Adaptor.a beta1 (past H i) (length H)
    /\ m (run H) i = Adaptor.m beta1 beta2 (past H i) (fun _ => alpha) (length H)
    /\ v (run H) i = Adaptor.v beta1 beta3 (past H i) (fun _ => alpha) (length H).
  Proof.
    induction H as [|s H (Ea & Em & Ev)]; [repeat split|].
    assert (Loc : forall j, (j <= length H)%nat -> past H i j = past (s :: H) i j) by (intros; symmetry; apply past_longer; assumption).
    destruct (average_local beta1 _ _ _ Loc) as [La _].
    destruct (moments_local beta1 beta2 beta3 _ _ (fun _ => alpha) _ Loc) as [Lm Lv].
    rewrite La in Ea. rewrite Lm in Em. rewrite Lv in Ev. simpl length.
    assert (A' : a (run (s :: H)) i = Adaptor.a beta1 (past (s :: H) i) (Datatypes.S (length H))).
    { simpl. rewrite <- Ea. change (Datatypes.S (length H)) with (length (s :: H)). rewrite past_now, past_longer, past_now by lia.
      reflexivity. }
    assert (U' : last (run (s :: H)) i + alpha * a (run (s :: H)) i
                 = Adaptor.u beta1 (past (s :: H) i) (fun _ => alpha) (Datatypes.S (length H))).
    { unfold Adaptor.u. rewrite <- A'. change (Datatypes.S (length H)) with (length (s :: H)). rewrite past_now. reflexivity. }
    split; [exact A'|]. simpl in U'. simpl Adaptor.m. simpl Adaptor.v. simpl run. unfold step at 1 2. simpl.
    rewrite <- U', <- Em, <- Ev. split; reflexivity.
  Qed.

  Definition slow (H : list S) : vec := fun i => Adaptor.h beta1 (past H i) (length H).
  Let c := - alpha * (1 - beta1).

  Lemma slow_S H s i : slow (s :: H) i = beta1 * slow H i + (1 - beta1) * grad H s i.
  Proof.
    unfold slow. simpl length. simpl Adaptor.h. change (Datatypes.S (length H)) with (length (s :: H)). rewrite past_now.
    destruct (average_local beta1 (past (s :: H) i) (past H i) (length H)) as [_ ->]; [intros; apply past_longer; assumption|].
    reflexivity.
  Qed.

  Lemma m_S H s i :
    m (run (s :: H)) i = beta2 * m (run H) i + (1 - beta2) * ((1 - c) * grad H s i + c * slow H i).
  Proof.
    destruct (along (s :: H) i) as (_ & E & _). destruct (along H i) as (_ & E' & _). rewrite E, E'. simpl length.
    change (Adaptor.m beta1 beta2 (past (s :: H) i) (fun _ => alpha) (Datatypes.S (length H)))
      with (beta2 * Adaptor.m beta1 beta2 (past (s :: H) i) (fun _ => alpha) (length H)
            + (1 - beta2) * Adaptor.u beta1 (past (s :: H) i) (fun _ => alpha) (Datatypes.S (length H))).
    rewrite one_buffer by apply past_0. unfold Adaptor.c. fold c.
    assert (Loc : forall j, (j <= length H)%nat -> past (s :: H) i j = past H i j) by (intros; apply past_longer; assumption).
    destruct (average_local beta1 _ _ _ Loc) as [_ ->]. destruct (moments_local beta1 beta2 0 _ _ (fun _ => alpha) _ Loc) as [-> _].
    change (Datatypes.S (length H)) with (length (s :: H)). rewrite past_now. reflexivity.
  Qed.
End Run.

(** *** Theorem N *)
Section Theorems.
  Variable n : nat.
  Context {S : Type}.
  Variable G : list S -> vec -> S -> vec.
  Variables (alpha beta1 beta2 beta3 eta : R) (start : vec).
  Variables (f : vec -> R) (D : vec -> vec) (L f_inf : R).
  Variables (outs : list S -> list S) (w : list S -> S -> R) (variance : R).
  Let c := - alpha * (1 - beta1).

  (** f is L-smooth and bounded below; the betas and the step size are admissible. *)
  Definition problem : Prop :=
    (0 < n)%nat /\ 0 <= L /\ smooth n f D L /\ (forall x, f_inf <= f x)
    /\ 0 <= beta1 < 1 /\ 0 <= beta2 < 1 /\ 0 < eta.

  (** The gradient estimate along the run: its conditional mean is the gradient, its conditional variance bounded. *)
  Definition unbiased update : Prop := probabilities outs w /\
    let z := run G alpha beta1 beta2 beta3 eta start update in
    forall H, (forall i, next outs w H (fun s => G H (theta (z H)) s i - D (theta (z H)) i) = 0)
              /\ next outs w H (fun s => sq n (fun i => G H (theta (z H)) s i - D (theta (z H)) i)) <= variance.

  (** The mean over T steps of E |grad f(theta_k)|^2. *)
  Definition mean_square_gradient update (T : nat) : R :=
    sum T (fun k => expect outs w k [] (fun H =>
      sq n (D (theta (run G alpha beta1 beta2 beta3 eta start update H))))) / INR T.

  Definition right_side (q_min q_max gap : R) (T : nat) : R :=
    2 * gap / (eta * q_min * INR T)
    + q_max / q_min * (C_noise beta1 beta2 c * variance + C_zero beta1 beta2 c * sq n (D start) / INR T).

  Definition step_allowed (q_max p_max : R) : Prop :=
    (L + p_max) * eta * q_max <= 1 / 2
    /\ C_delta beta1 beta2 c * ((eta * q_max * L) * (eta * q_max * L)) <= 1 / 2.

  (** For any update that is Q (m + P theta) with Q and P within bounds along every path. *)
  Section General.
    Variables (update : nat -> vec -> vec -> vec -> vec) (q_min q_max p_max : R).
    Let z := run G alpha beta1 beta2 beta3 eta start update.
    Variables (Q : nat -> vec -> vec -> vec -> vec) (P : nat -> vec -> vec) (p_start : vec).
    Let P' (H : list S) : vec := match H with [] => p_start | _ => P (length H) (v (z H)) end.

    (** The gradient of the last regularised objective f + |theta|_P^2 / 2. *)
    Definition regular_gradient (H : list S) : vec := fun i =>
      match H with [] => 0 | _ :: K => D (theta (z K)) i + P (length H) (v (z H)) i * theta (z K) i end.

    Theorem general T :
      problem -> unbiased update -> 0 < q_min ->
      (forall k theta m v i, update (Datatypes.S k) theta m v i
         = Q (Datatypes.S k) theta m v i * (m i + P (Datatypes.S k) v i * theta i)) ->
      (forall H s i, (i < n)%nat ->
         q_min <= Q (Datatypes.S (length H)) (theta (z H)) (m (z (s :: H))) (v (z (s :: H))) i <= q_max) ->
      (forall H i, (i < n)%nat -> 0 <= P' H i <= p_max) ->
      (forall H s i, (i < n)%nat -> P' (s :: H) i <= P' H i) ->
      step_allowed q_max p_max -> (0 < T)%nat ->
      sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (regular_gradient H))) / INR T
      <= right_side q_min q_max (f start + sum n (fun i => p_start i * (start i * start i)) / 2 - f_inf) T.
    Proof.
      intros (Hn & HL & Hf & Hinf & B1 & B2 & He) (Hw & O) Hq HU HQ HP HF [S1 S2] HT.
      pose (Q' := fun H => match H with [] => fun _ : nat => q_min
                          | s :: K => Q (Datatypes.S (length K)) (theta (z K)) (m (z H)) (v (z H)) end).
      pose proof (theorem_N n f D L f_inf HL Hf Hinf outs w Hw beta1 beta2 c eta q_min q_max p_max B1 B2 He Hq
                    (grad G alpha beta1 beta2 beta3 eta start update) (fun H => theta (z H))
                    (slow G alpha beta1 beta2 beta3 eta start update) (fun H => m (z H)) Q' P') as N.
      specialize (N ltac:(reflexivity) ltac:(reflexivity)).
      specialize (N (slow_S G alpha beta1 beta2 beta3 eta start update) (m_S G alpha beta1 beta2 beta3 eta start update)).
      assert (Ht : forall H s i, theta (z (s :: H)) i
        = theta (z H) i - eta * Q' (s :: H) i * (m (z (s :: H)) i + P' (s :: H) i * theta (z H) i)).
      { intros H s i. change (theta (z (s :: H)) i)
          with (theta (z H) i - eta * update (Datatypes.S (length H)) (theta (z H)) (m (z (s :: H))) (v (z (s :: H))) i).
        rewrite HU. unfold Q', P'. simpl length. ring. }
      specialize (N Ht HQ HP HF variance (fun H => proj1 (O H)) (fun H => proj2 (O H)) S1 S2 T Hn HT).
      change (theta (z [])) with start in N.
      eapply Rle_trans; [|exact N]. apply Req_le. f_equal. apply sum_ext; intros k _.
      rewrite !expect_last by exact Hw. apply expect_ext; intros K. apply next_ext; intros s. reflexivity.
    Qed.
  End General.

  (** Algorithm 3 with normalised momentum. *)
  Definition esgd_update : nat -> vec -> vec -> vec -> vec := fun _ _ m _ => m.

  Theorem esgd T : problem -> unbiased esgd_update -> step_allowed 1 0 -> (0 < T)%nat ->
    mean_square_gradient esgd_update T <= right_side 1 1 (f start - f_inf) T.
  Proof.
    intros Pr O St HT.
    pose proof (general esgd_update 1 1 0 (fun _ _ _ _ _ => 1) (fun _ _ _ => 0) (fun _ => 0) T Pr O) as N.
    rewrite (sum_ext n (fun i => 0 * _) (fun _ => 0)), sum_zero in N by (intros; ring).
    replace (f start + 0 / 2 - f_inf) with (f start - f_inf) in N by field.
    eapply Rle_trans; [|apply N]; try assumption; try lra.
    - apply Req_le. unfold mean_square_gradient. f_equal. apply sum_ext; intros k _. rewrite expect_last.
      apply expect_ext; intros H. symmetry. etransitivity; [|apply (next_const outs w (proj1 O) H)].
      apply next_ext; intros s. apply sq_ext; intros. unfold regular_gradient. ring.
    - intros. unfold esgd_update. ring.
    - intros; lra.
    - intros [|s H] i _; simpl; lra.
    - intros [|s' H] s i _; simpl; lra.
  Qed.

  (** EAdam and ALTO. *)
  Section Preconditioned.
    Variables (layer : nat -> nat) (eps1 eps2 eps3 bound kappa gain rho d_max : R).
    Let W := kappa * bound + eps1.

    (** Bounded gradients, and the numbers in the bounds of the preconditioner. *)
    Definition sizes (corrected : bool) : Prop :=
      0 <= beta3 < 1 /\ 0 < eps1 /\ 0 < eps2 /\ 0 < eps3 /\ 0 <= bound
      /\ (forall H x s i, Rabs (G H x s i) <= bound) /\ Rabs (1 - c) + Rabs c <= kappa
      /\ momentum_gain corrected beta2 alpha beta1 kappa gain /\ ratio_bound beta2 beta3 eps1 gain bound rho
      /\ 0 <= rho /\ (forall i, size n layer (layer i) <= d_max).

    Section Along.
      Variables (layerwise corrected : bool) (decay : nat -> R).
      Let update := fun k => update n layer layerwise corrected beta2 beta3 eps1 eps2 eps3 (decay k) k.
      Let z := run G alpha beta1 beta2 beta3 eta start update.
      Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (Sz : sizes corrected).
      Let past := past G alpha beta1 beta2 beta3 eta start update.

      Lemma kappa_constant : forall k, Rabs (1 - Adaptor.c beta1 (fun _ => alpha) k) + Rabs (Adaptor.c beta1 (fun _ => alpha) k) <= kappa.
      Proof. intros k. destruct Sz as (_ & _ & _ & _ & _ & _ & K & _). unfold Adaptor.c. fold c. exact K. Qed.

      Lemma path_bounded H i j : Rabs (past H i j) <= bound.
      Proof. destruct Sz as (_ & _ & _ & _ & B0 & Bd & _). apply past_bounded; assumption. Qed.

      Lemma root_along H s i : sqrt (v (z (s :: H)) i / bias corrected beta3 (Datatypes.S (length H))) <= kappa * bound.
      Proof.
        destruct Sz as (B3 & _). unfold z. destruct (along G alpha beta1 beta2 beta3 eta start update (s :: H) i) as (_ & _ & ->).
        apply (root_hat_bounded corrected beta3 B3 (fun _ => alpha) beta1 kappa bound (past (s :: H) i));
          [apply past_0|exact B1|apply kappa_constant|apply path_bounded].
      Qed.

      Lemma ratio_along H s i :
        Rabs (ratio corrected beta2 beta3 eps1 (Datatypes.S (length H)) (m (z (s :: H))) (v (z (s :: H))) i) <= rho.
      Proof.
        pose proof kappa_constant as K. destruct Sz as (B3 & E1 & _ & _ & _ & _ & _ & Hg & HR & _). unfold ratio, Methods.W, z.
        destruct (along G alpha beta1 beta2 beta3 eta start update (s :: H) i) as (_ & -> & ->).
        apply (ratio_bounded corrected beta2 beta3 eps1 B2 B3 E1 (fun _ => alpha) beta1 bound rho (past (s :: H) i) gain);
          [|exact HR].
        intros k. apply (gain_bounded corrected beta2 B2 alpha beta1 kappa); [apply past_0|exact B1|exact K|apply path_bounded|exact Hg].
      Qed.

      (** The regulariser's weights, and that they do not grow without bias correction. *)
      Let mu := sqrt (1 - beta3) * (kappa * bound) / eps1.
      Hypothesis decay_falls : forall k, 0 <= decay k /\ (1 + mu) * decay (Datatypes.S k) <= decay k.

      Lemma W_falls s t H i : corrected = false ->
        let k := length (t :: H) in
        P corrected beta2 beta3 eps1 (decay (Datatypes.S k)) (Datatypes.S k) (v (z (s :: t :: H))) i
        <= P corrected beta2 beta3 eps1 (decay k) k (v (z (t :: H))) i.
      Proof.
        intros Hc k. pose proof kappa_constant as K. pose proof path_bounded as Pb. destruct Sz as (B3 & E1 & _).
        assert (Eb : forall beta j, bias corrected beta j = 1) by (intros; unfold bias; rewrite Hc; reflexivity).
        unfold P, Methods.W, z. rewrite !Eb, !Rmult_1_l, !Rdiv_1.
        destruct (along G alpha beta1 beta2 beta3 eta start update (s :: t :: H) i) as (_ & _ & ->).
        destruct (along G alpha beta1 beta2 beta3 eta start update (t :: H) i) as (_ & _ & ->).
        destruct (moments_local beta1 beta2 beta3 (past (t :: H) i) (past (s :: t :: H) i) (fun _ => alpha) (length (t :: H)))
          as [_ E]; [intros; symmetry; apply past_longer; assumption|]. fold past. rewrite E. fold k.
        change (length (s :: t :: H)) with (Datatypes.S k).
        pose proof (W_grows_slowly (fun _ => alpha) beta1 beta3 kappa bound (past (s :: t :: H) i) (past_0 _ _ _ _ _ _ _ _ _ _)
                      B1 B3 K (Pb _ _) eps1 E1 k) as Gr. fold mu in Gr.
        destruct (decay_falls k) as [_ Df]. destruct (decay_falls (Datatypes.S k)) as [D0 _].
        set (x := sqrt (Adaptor.v beta1 beta3 (past (s :: t :: H) i) (fun _ => alpha) (Datatypes.S k)) + eps1) in *.
        set (y := sqrt (Adaptor.v beta1 beta3 (past (s :: t :: H) i) (fun _ => alpha) k) + eps1) in *.
        assert (0 <= y) by (unfold y; pose proof (sqrt_pos (Adaptor.v beta1 beta3 (past (s :: t :: H) i) (fun _ => alpha) k)); lra).
        apply Rle_trans with (decay (Datatypes.S k) * ((1 + mu) * y)); [apply Rmult_le_compat_l; assumption|nra].
      Qed.
    End Along.

    (** *** Both methods at once, from which the theorems below are read off *)
    Let q_min layerwise gamma := / (W * inverse_factor layerwise eps2 eps3 rho gamma d_max).
    Let q_max layerwise corrected := largest layerwise corrected beta2 eps1 eps2.

    Lemma q_min_pos layerwise corrected gamma : sizes corrected -> 0 <= gamma -> 0 < q_min layerwise gamma.
    Proof.
      intros (_ & E1 & E2 & E3 & B0 & _ & K & _ & _ & R0 & Sz) Hg. unfold q_min.
      assert (0 <= kappa) by (pose proof (Rabs_pos (1 - c)); pose proof (Rabs_pos c); lra).
      assert (0 < W) by (unfold W; assert (0 <= kappa * bound) by (apply Rmult_le_pos; lra); lra).
      apply Rinv_0_lt_compat. apply Rmult_lt_0_compat; [assumption|]. unfold inverse_factor. destruct layerwise; [|lra].
      apply Rmult_lt_0_compat; [|apply Rinv_0_lt_compat; assumption].
      assert (0 <= sqrt d_max * rho) by (apply Rmult_le_pos; [apply sqrt_pos|assumption]).
      assert (0 < (gamma + eps2) * eps3) by (apply Rmult_lt_0_compat; lra). lra.
    Qed.

    Lemma W_pos corrected : sizes corrected -> 0 <= W.
    Proof.
      intros (_ & E1 & _ & _ & B0 & _ & K & _). pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c). unfold W.
      assert (0 <= kappa * bound) by (apply Rmult_le_pos; lra). lra.
    Qed.

    Theorem both layerwise corrected (decay : nat -> R) T :
      let update := fun k => update n layer layerwise corrected beta2 beta3 eps1 eps2 eps3 (decay k) k in
      let mu := sqrt (1 - beta3) * (kappa * bound) / eps1 in
      problem -> sizes corrected -> unbiased update ->
      (forall k, 0 <= decay k /\ (1 + mu) * decay (Datatypes.S k) <= decay k) ->
      (corrected = true -> forall k, decay k = 0) ->
      step_allowed (q_max layerwise corrected) (decay 1%nat * W) -> (0 < T)%nat ->
      sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n
        (regular_gradient update (fun k v => P corrected beta2 beta3 eps1 (decay k) k v) H))) / INR T
      <= right_side (q_min layerwise (decay 1%nat)) (q_max layerwise corrected)
           (f start + decay 1%nat * W * sq n start / 2 - f_inf) T.
    Proof.
      intros update mu Pr Sz O Df Dc St HT. pose proof Pr as (_ & _ & _ & _ & B1 & B2 & _).
      pose proof Sz as (B3 & E1 & E2 & E3 & B0 & Bd & K & Hg & HR & R0 & Dm). pose proof (W_pos corrected Sz) as HW.
      assert (Mono : forall j, 0 <= decay (Datatypes.S j) <= decay 1%nat).
      { assert (M0 : 0 <= mu).
        { unfold mu. assert (0 <= kappa) by (pose proof (Rabs_pos (1 - c)); pose proof (Rabs_pos c); lra).
          pose proof (sqrt_pos (1 - beta3)). apply Rmult_le_pos; [|apply inverse_nonneg; exact E1]. repeat apply Rmult_le_pos; lra. }
        induction j as [|j IH]; [split; [apply Df|lra]|].
        destruct (Df (Datatypes.S j)) as [_ F]. destruct (Df (Datatypes.S (Datatypes.S j))) as [F0 _]. split; [exact F0|nra]. }
      assert (Wb : forall H s i, (let z := run G alpha beta1 beta2 beta3 eta start update in
          0 <= P corrected beta2 beta3 eps1 (decay (Datatypes.S (length H))) (Datatypes.S (length H)) (v (z (s :: H))) i
          <= decay 1%nat * W)).
      { intros H s i z. pose proof (root_along layerwise corrected decay B1 Sz H s i) as Rt. fold update z in Rt.
        pose proof (Mono (length H)) as [M0 M1]. pose proof (bias_bounds corrected beta2 (length H) B2) as Hb.
        unfold P, Methods.W. pose proof (sqrt_pos (v (z (s :: H)) i / bias corrected beta3 (Datatypes.S (length H)))) as S0.
        set (bb := bias corrected beta2 (Datatypes.S (length H))) in *. set (root := sqrt (v (z (s :: H)) i / bias corrected beta3 (Datatypes.S (length H)))) in *. unfold W in *.
        assert (0 <= bb * (root + eps1)) by (apply Rmult_le_pos; lra).
        assert (bb * (root + eps1) <= 1 * (root + eps1)) by (apply Rmult_le_compat_r; lra).
        split; [apply Rmult_le_pos; lra|apply Rmult_le_compat; lra]. }
      pose proof (general update (q_min layerwise (decay 1%nat)) (q_max layerwise corrected) (decay 1%nat * W)
                    (fun k => Q n layer layerwise corrected beta2 beta3 eps1 eps2 eps3 (decay k) k)
                    (fun k v => P corrected beta2 beta3 eps1 (decay k) k v) (fun _ => decay 1%nat * W) T Pr O
                    (q_min_pos layerwise corrected (decay 1%nat) Sz (proj1 (Df 1%nat)))) as N.
      cbv beta in N. rewrite sum_scal in N. change (sum n (fun i => start i * start i)) with (sq n start) in N.
      apply N; try assumption.
      - intros k th mm vv i. unfold update. apply update_is; assumption.
      - intros H s i Hi. unfold q_min, q_max.
        pose proof (root_along layerwise corrected decay B1 Sz H s) as Rt.
        pose proof (ratio_along layerwise corrected decay B1 B2 Sz H s) as Ra.
        destruct (Mono (length H)) as [M0 M1].
        pose proof (Q_bounds n layer layerwise corrected beta2 beta3 eps1 eps2 eps3 B2 E1 E2 E3
          (decay (Datatypes.S (length H))) (kappa * bound) rho d_max (length H)
          (theta (run G alpha beta1 beta2 beta3 eta start update H)) (m (run G alpha beta1 beta2 beta3 eta start update (s :: H)))
          (v (run G alpha beta1 beta2 beta3 eta start update (s :: H))) M0 R0 Rt Ra Dm i) as [Q0 Q1].
        split; [|exact Q1]. eapply Rle_trans; [|exact Q0]. apply Rinv_le_contravar.
        + pose proof (q_min_pos layerwise corrected _ Sz M0) as Pos. unfold q_min in Pos.
          apply Rinv_0_lt_compat in Pos. rewrite Rinv_inv in Pos. exact Pos.
        + apply Rmult_le_compat_l; [exact HW|]. unfold inverse_factor. destruct layerwise; [|lra].
          apply Rmult_le_compat_r; [apply inverse_nonneg; exact E3|]. nra.
      - intros [|s H] i Hi; [|apply Wb]. split; [apply Rmult_le_pos; [apply Df|exact HW]|lra].
      - intros [|t H] s i Hi; [apply Wb|]. destruct corrected eqn:Hc.
        + unfold P. rewrite !Dc by reflexivity. lra.
        + apply (W_falls layerwise false decay B1 Sz Df s t H i eq_refl).
    Qed.
  End Preconditioned.

  (** Without decay the regularised gradient is the gradient. *)
  Lemma without_decay update P T : unbiased update -> (forall k v i, P k v i = 0) ->
    mean_square_gradient update T
    = sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (regular_gradient update P H))) / INR T.
  Proof.
    intros O HP. unfold mean_square_gradient. f_equal. apply sum_ext; intros k _. rewrite expect_last.
    apply expect_ext; intros H. symmetry. etransitivity; [|apply (next_const outs w (proj1 O) H)].
    apply next_ext; intros s. apply sq_ext; intros. unfold regular_gradient. rewrite HP. ring.
  Qed.

  (** *** The methods *)
  Section Methods.
    Variables (eps1 eps2 eps3 bound kappa : R).
    Hypotheses (B3 : 0 <= beta3 < 1) (E1 : 0 < eps1) (E2 : 0 < eps2) (E3 : 0 < eps3).
    Hypotheses (bound_nonneg : 0 <= bound) (bounded : forall H x s i, Rabs (G H x s i) <= bound).
    Hypothesis kappa_is : Rabs (1 - c) + Rabs c <= kappa.
    Let W := kappa * bound + eps1.
    Let mu := sqrt (1 - beta3) * (kappa * bound) / eps1.

    Lemma kappa_bound_nonneg : 0 <= kappa * bound.
    Proof. pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c). apply Rmult_le_pos; lra. Qed.

    (** EAdam: one layer and no layer factor. *)
    Definition eadam_update corrected (decay : nat -> R) : nat -> vec -> vec -> vec -> vec :=
      fun k => Methods.update n (fun _ => 0%nat) false corrected beta2 beta3 eps1 1 1 (decay k) k.

    Lemma eadam_both corrected decay T :
      problem -> unbiased (eadam_update corrected decay) ->
      (forall k, 0 <= decay k /\ (1 + mu) * decay (Datatypes.S k) <= decay k) ->
      (corrected = true -> forall k, decay k = 0) ->
      let q_max := / ((if corrected then 1 - beta2 else 1) * eps1) in
      step_allowed q_max (decay 1%nat * W) -> (0 < T)%nat ->
      sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (regular_gradient (eadam_update corrected decay)
        (fun k v => P corrected beta2 beta3 eps1 (decay k) k v) H))) / INR T
      <= right_side (/ W) q_max (f start + decay 1%nat * W * sq n start / 2 - f_inf) T.
    Proof.
      intros Pr O Df Dc q_max St HT.
      assert (Eq : largest false corrected beta2 eps1 1 = q_max) by (unfold largest, q_max; rewrite Rmult_1_r; reflexivity).
      pose proof (both (fun _ => 0%nat) eps1 1 1 bound kappa kappa (kappa * bound / eps1) (size n (fun _ => 0%nat) 0)
                    false corrected decay T Pr) as N.
      cbv beta zeta in N. rewrite Eq in N. unfold inverse_factor in N. rewrite Rmult_1_r in N. apply N; try assumption.
      assert (0 <= kappa * bound / eps1) by (apply Rmult_le_pos; [apply kappa_bound_nonneg|apply inverse_nonneg; assumption]).
      unfold sizes, momentum_gain, ratio_bound.
      repeat match goal with |- _ /\ _ => split end; try assumption; try lra; try (left; lra).
      intros _. lra.
    Qed.

    Theorem eadam corrected T :
      let update := eadam_update corrected (fun _ => 0) in
      let q_max := / ((if corrected then 1 - beta2 else 1) * eps1) in
      problem -> unbiased update -> step_allowed q_max 0 -> (0 < T)%nat ->
      mean_square_gradient update T <= right_side (/ W) q_max (f start - f_inf) T.
    Proof.
      intros update q_max Pr O St HT. pose proof (eadam_both corrected (fun _ => 0) T Pr O) as N.
      cbv beta in N. rewrite !Rmult_0_l in N. replace (f start + 0 / 2 - f_inf) with (f start - f_inf) in N by field.
      rewrite (without_decay update (fun k v => P corrected beta2 beta3 eps1 0 k v)); [apply N|exact O|].
      - intros; lra.
      - reflexivity.
      - exact St.
      - exact HT.
      - intros. unfold P. ring.
    Qed.

    (** With weight decay the gradient of f + gamma_k |theta|_W^2 / 2, W = sqrt(v_k) + eps1. *)
    Definition decayed_gradient update (decay : nat -> R) (H : list S) : vec := fun i =>
      let z := run G alpha beta1 beta2 beta3 eta start update in
      match H with
      | [] => 0
      | _ :: K => D (theta (z K)) i + decay (length H) * (sqrt (v (z H) i) + eps1) * theta (z K) i
      end.

    Lemma decayed_is update decay T :
      sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (decayed_gradient update decay H))) / INR T
      = sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (regular_gradient update
          (fun k v => P false beta2 beta3 eps1 (decay k) k v) H))) / INR T.
    Proof.
      f_equal. apply sum_ext; intros k _. apply expect_ext; intros H. apply sq_ext; intros i _.
      unfold decayed_gradient, regular_gradient. destruct H as [|s K]; [reflexivity|].
      unfold P, Methods.W, bias. rewrite Rdiv_1. ring.
    Qed.

    Theorem eadam_decay decay T :
      let update := eadam_update false decay in
      problem -> unbiased update ->
      (forall k, 0 <= decay k /\ (1 + mu) * decay (Datatypes.S k) <= decay k) ->
      step_allowed (/ eps1) (decay 1%nat * W) -> (0 < T)%nat ->
      sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (decayed_gradient update decay H))) / INR T
      <= right_side (/ W) (/ eps1) (f start + decay 1%nat * W * sq n start / 2 - f_inf) T.
    Proof.
      intros update Pr O Df St HT. rewrite decayed_is. pose proof (eadam_both false decay T Pr O Df ltac:(discriminate)) as N.
      cbv zeta in N. rewrite Rmult_1_l in N. apply N; assumption.
    Qed.

    (** ALTO. [gain] is kappa, or kappa_m without bias correction; [zeta] bounds |m| / W. *)
    Variables (layer : nat -> nat) (gain zeta d_max : R).
    Hypotheses (zeta_nonneg : 0 <= zeta) (zeta_is : ratio_bound beta2 beta3 eps1 gain bound zeta).
    Hypothesis d_max_is : forall i, size n layer (layer i) <= d_max.
    Definition alto_update corrected (decay : nat -> R) : nat -> vec -> vec -> vec -> vec :=
      fun k => Methods.update n layer true corrected beta2 beta3 eps1 eps2 eps3 (decay k) k.
    Let inverse_q_min gamma := W * ((sqrt d_max * zeta + (gamma + eps2) * eps3) / eps3).

    Lemma alto_sizes corrected : momentum_gain corrected beta2 alpha beta1 kappa gain ->
      sizes layer eps1 eps2 eps3 bound kappa gain zeta d_max corrected.
    Proof. intros. unfold sizes. tauto. Qed.

    Theorem alto corrected T : momentum_gain corrected beta2 alpha beta1 kappa gain ->
      let update := alto_update corrected (fun _ => 0) in
      let q_max := / ((if corrected then 1 - beta2 else 1) * eps1 * eps2) in
      problem -> unbiased update -> step_allowed q_max 0 -> (0 < T)%nat ->
      mean_square_gradient update T <= right_side (/ inverse_q_min 0) q_max (f start - f_inf) T.
    Proof.
      intros Hg update q_max Pr O St HT.
      pose proof (both layer eps1 eps2 eps3 bound kappa gain zeta d_max true corrected (fun _ => 0) T Pr
                    (alto_sizes corrected Hg) O) as N.
      cbv beta in N. rewrite !Rmult_0_l in N. replace (f start + 0 / 2 - f_inf) with (f start - f_inf) in N by field.
      rewrite (without_decay update (fun k v => P corrected beta2 beta3 eps1 0 k v)); [apply N|exact O|].
      - intros; lra.
      - reflexivity.
      - exact St.
      - exact HT.
      - intros. unfold P. ring.
    Qed.

    Theorem alto_decay decay T : momentum_gain false beta2 alpha beta1 kappa gain ->
      let update := alto_update false decay in
      problem -> unbiased update ->
      (forall k, 0 <= decay k /\ (1 + mu) * decay (Datatypes.S k) <= decay k) ->
      step_allowed (/ (eps1 * eps2)) (decay 1%nat * W) -> (0 < T)%nat ->
      sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (decayed_gradient update decay H))) / INR T
      <= right_side (/ inverse_q_min (decay 1%nat)) (/ (eps1 * eps2)) (f start + decay 1%nat * W * sq n start / 2 - f_inf) T.
    Proof.
      intros Hg update Pr O Df St HT. rewrite decayed_is.
      pose proof (both layer eps1 eps2 eps3 bound kappa gain zeta d_max true false decay T Pr
                    (alto_sizes false Hg) O Df ltac:(discriminate)) as N.
      unfold largest in N. rewrite Rmult_1_l in N. apply N; assumption.
    Qed.
  End Methods.
End Theorems.
