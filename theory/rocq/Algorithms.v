(** The paper's algorithms to the letter (two buffers: a and the previous gradient), and Theorem N for each:
    Algorithm 3 with normalised momentum (ESGD), Algorithm 4 without bias correction (EAdam) and
    Algorithm 1 without weight decay (ALTO, layerwise factor included). *)
From Coq Require Import Reals Lra Lia List PeanoNat.
From Proofs Require Import Sums TheoremN.
Import ListNotations.
Local Open Scope R_scope.

Section Algorithms.
  Variable n : nat.
  Context {S : Type}.
  (** A stochastic gradient: of the past draws, the point and the new draw. *)
  Variable G : list S -> vec -> S -> vec.
  Variables (alpha beta1 beta2 beta3 eta : R) (start : vec).
  (** The factor of the step, from the point, the momentum and the second moment after the draw. *)
  Variable factor : vec -> vec -> vec -> vec.

  Record state := State { theta : vec; a : vec; last : vec; m : vec; v : vec }.

  Definition update (H : list S) (z : state) (s : S) : state :=
    let g := G H (theta z) s in
    let a' := fun i => beta1 * a z i + (1 - beta1) * (g i - last z i) in
    let u := fun i => g i + alpha * a' i in
    let m' := fun i => beta2 * m z i + (1 - beta2) * u i in
    let v' := fun i => beta3 * v z i + (1 - beta3) * (u i * u i) in
    State (fun i => theta z i - eta * factor (theta z) m' v' i * m' i) a' g m' v'.

  Fixpoint run (H : list S) : state :=
    match H with
    | [] => State start (fun _ => 0) (fun _ => 0) (fun _ => 0) (fun _ => 0)
    | s :: K => update K (run K) s
    end.

  Definition grad (H : list S) (s : S) : vec := G H (theta (run H)) s.
  Let c := - alpha * (1 - beta1).

  Fixpoint slow (H : list S) : vec :=
    match H with [] => fun _ => 0 | s :: K => fun i => beta1 * slow K i + (1 - beta1) * grad K s i end.

  (** F1 along every path: a is the difference of two slow averages, so the two-buffer u is the one-buffer u. *)
  Lemma exploration s K i : a (run (s :: K)) i = slow (s :: K) i - slow K i.
  Proof.
    revert s; induction K as [|t K IH]; intros s.
    - simpl. unfold grad. simpl. ring.
    - change (a (run (s :: t :: K)) i)
        with (beta1 * a (run (t :: K)) i + (1 - beta1) * (grad (t :: K) s i - last (run (t :: K)) i)).
      rewrite IH. change (last (run (t :: K)) i) with (grad K t i). simpl slow. ring.
  Qed.

  Definition mixed (s : S) (K : list S) : vec := fun i => grad K s i + alpha * a (run (s :: K)) i.

  Lemma mixed_is s K i : mixed s K i = (1 - c) * grad K s i + c * slow K i.
  Proof. unfold mixed. rewrite exploration. simpl slow. unfold c. ring. Qed.

  Lemma m_is s K i : m (run (s :: K)) i = beta2 * m (run K) i + (1 - beta2) * ((1 - c) * grad K s i + c * slow K i).
  Proof.
    change (m (run (s :: K)) i) with (beta2 * m (run K) i + (1 - beta2) * mixed s K i). rewrite mixed_is. reflexivity.
  Qed.

  (** Lemma 3 along every path. *)
  Section Bounds.
    Variables (bound kappa : R).
    Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (B3 : 0 <= beta3 < 1).
    Hypothesis bounded : forall H x s i, Rabs (G H x s i) <= bound.
    Hypothesis kappa_is : Rabs (1 - c) + Rabs c <= kappa.
    Hypothesis inhabited : S.

    Lemma bound_nonneg : 0 <= bound.
    Proof. pose proof (bounded [] start inhabited 0%nat). pose proof (Rabs_pos (G [] start inhabited 0%nat)). lra. Qed.

    Lemma average_bounded b x y r : 0 <= b < 1 -> Rabs x <= r -> Rabs y <= r -> Rabs (b * x + (1 - b) * y) <= r.
    Proof.
      intros Hb Hx Hy. eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult, (Rabs_right b), (Rabs_right (1 - b)) by lra.
      assert (b * Rabs x <= b * r) by (apply Rmult_le_compat_l; lra).
      assert ((1 - b) * Rabs y <= (1 - b) * r) by (apply Rmult_le_compat_l; lra). lra.
    Qed.

    Lemma slow_bounded H i : Rabs (slow H i) <= bound.
    Proof.
      induction H as [|s K IH]; simpl; [rewrite Rabs_R0; apply bound_nonneg|].
      apply average_bounded; [assumption|exact IH|apply bounded].
    Qed.

    Lemma kappa_pos : 0 <= kappa.
    Proof. pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c). lra. Qed.

    Lemma mixed_bounded s K i : Rabs (mixed s K i) <= kappa * bound.
    Proof.
      rewrite mixed_is. eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult.
      pose proof (bounded K (theta (run K)) s i) as Hg. fold (grad K s) in Hg. pose proof (slow_bounded K i).
      pose proof bound_nonneg.
      assert (Rabs (1 - c) * Rabs (grad K s i) <= Rabs (1 - c) * bound) by (apply Rmult_le_compat_l; [apply Rabs_pos|exact Hg]).
      assert (Rabs c * Rabs (slow K i) <= Rabs c * bound) by (apply Rmult_le_compat_l; [apply Rabs_pos|assumption]).
      assert ((Rabs (1 - c) + Rabs c) * bound <= kappa * bound) by (apply Rmult_le_compat_r; assumption). lra.
    Qed.

    Lemma m_bounded H i : Rabs (m (run H) i) <= kappa * bound.
    Proof.
      induction H as [|s K IH].
      - simpl. rewrite Rabs_R0. apply Rmult_le_pos; [apply kappa_pos|apply bound_nonneg].
      - change (m (run (s :: K)) i) with (beta2 * m (run K) i + (1 - beta2) * mixed s K i).
        apply average_bounded; [assumption|exact IH|apply mixed_bounded].
    Qed.

    Lemma v_bounded H i : 0 <= v (run H) i <= (kappa * bound) * (kappa * bound).
    Proof.
      induction H as [|s K IH].
      - simpl. split; [lra|]. apply Rle_0_sqr.
      - change (v (run (s :: K)) i) with (beta3 * v (run K) i + (1 - beta3) * (mixed s K i * mixed s K i)).
        assert (0 <= mixed s K i * mixed s K i) by apply Rle_0_sqr.
        assert (mixed s K i * mixed s K i <= kappa * bound * (kappa * bound)).
        { change (Rsqr (mixed s K i) <= Rsqr (kappa * bound)). rewrite Rsqr_abs.
          apply Rsqr_incr_1; [apply mixed_bounded|apply Rabs_pos|].
          eapply Rle_trans; [apply Rabs_pos|apply (mixed_bounded s K i)]. }
        assert (0 <= beta3 * v (run K) i <= beta3 * (kappa * bound * (kappa * bound)))
          by (split; [apply Rmult_le_pos; lra|apply Rmult_le_compat_l; lra]).
        assert (0 <= (1 - beta3) * (mixed s K i * mixed s K i) <= (1 - beta3) * (kappa * bound * (kappa * bound)))
          by (split; [apply Rmult_le_pos; lra|apply Rmult_le_compat_l; lra]).
        lra.
    Qed.

    Lemma root_bounded H i : 0 <= sqrt (v (run H) i) <= kappa * bound.
    Proof.
      destruct (v_bounded H i). split; [apply sqrt_pos|].
      rewrite <- (sqrt_square (kappa * bound)); [apply sqrt_le_1_alt; assumption|].
      apply Rmult_le_pos; [apply kappa_pos|apply bound_nonneg].
    Qed.
  End Bounds.

  (** *** The problem *)
  Variables (f : vec -> R) (D : vec -> vec) (L f_inf : R).
  Hypothesis L_nonneg : 0 <= L.
  Hypothesis upper : forall x y,
    f y <= f x + dot n (D x) (fun i => y i - x i) + L / 2 * sq n (fun i => y i - x i).
  Hypothesis lipschitz : forall x y, sq n (fun i => D x i - D y i) <= L * L * sq n (fun i => x i - y i).
  Hypothesis bounded_below : forall x, f_inf <= f x.
  Variables (outs : list S -> list S) (w : list S -> S -> R) (variance : R).
  Hypothesis w_nonneg : forall H s, 0 <= w H s.
  Hypothesis w_total : forall H, mean (w H) (outs H) (fun _ => 1) = 1.
  Hypothesis unbiased : forall H i, next outs w H (fun s => grad H s i - D (theta (run H)) i) = 0.
  Hypothesis noise : forall H, next outs w H (fun s => sq n (fun i => grad H s i - D (theta (run H)) i)) <= variance.
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (eta_pos : 0 < eta).

  Definition mean_square_gradient (T : nat) : R :=
    sum T (fun k => expect outs w k [] (fun H => sq n (D (theta (run H))))) / INR T.

  Definition right_side (q_min q_max : R) (T : nat) : R :=
    2 * (f start - f_inf) / (eta * q_min * INR T)
    + q_max / q_min * (C_noise beta1 beta2 c * variance + C_zero beta1 beta2 c * sq n (D start) / INR T).

  Theorem bound_for q_min q_max T :
    0 < q_min -> q_min <= q_max ->
    (forall s K i, (i < n)%nat ->
       q_min <= factor (theta (run K)) (m (run (s :: K))) (v (run (s :: K))) i <= q_max) ->
    L * eta * q_max <= 1 / 2 ->
    C_delta beta1 beta2 c * ((eta * q_max * L) * (eta * q_max * L)) <= 1 / 2 ->
    (0 < n)%nat -> (0 < T)%nat -> mean_square_gradient T <= right_side q_min q_max T.
  Proof.
    intros Hq Hqq HQ S1 S2 Hn HT.
    pose (Q := fun H => match H with [] => fun _ : nat => q_min
                        | s :: K => factor (theta (run K)) (m (run (s :: K))) (v (run (s :: K))) end).
    pose proof (theorem_N n f D L f_inf L_nonneg upper lipschitz bounded_below outs w w_nonneg w_total
                  beta1 beta2 c eta q_min q_max B1 B2 eta_pos Hq
                  grad (fun H => theta (run H)) slow (fun H => m (run H)) Q) as N.
    apply N with (variance := variance); try assumption; try reflexivity.
    - intros; apply m_is.
    - intros [|s K] i Hi; [simpl; lra|apply HQ; exact Hi].
  Qed.
End Algorithms.

(** *** The three methods *)
Section Methods.
  Variable n : nat.
  Context {S : Type}.
  Variable G : list S -> vec -> S -> vec.
  Variables (alpha beta1 beta2 beta3 eta eps1 eps2 eps3 bound kappa : R) (start : vec).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1) (B3 : 0 <= beta3 < 1) (eta_pos : 0 < eta).
  Hypotheses (E1 : 0 < eps1) (E2 : 0 < eps2) (E3 : 0 < eps3).
  Hypothesis bounded : forall H x s i, Rabs (G H x s i) <= bound.
  Let c := - alpha * (1 - beta1).
  Hypothesis kappa_is : Rabs (1 - c) + Rabs c <= kappa.
  Hypothesis inhabited : S.

  Definition plain : vec -> vec -> vec -> vec := fun _ _ _ _ => 1.
  Definition adam : vec -> vec -> vec -> vec := fun _ _ v i => / (sqrt (v i) + eps1).

  (** The layer of a coordinate; norms over it. *)
  Variable layer : nat -> nat.
  Definition norm_in (i : nat) (x : vec) : R :=
    sqrt (sum n (fun j => if Nat.eqb (layer j) (layer i) then x j * x j else 0)).
  Definition alto : vec -> vec -> vec -> vec := fun theta m v i =>
    let r := fun j => m j / (sqrt (v j) + eps1) in
    let phi := norm_in i theta + eps3 in
    phi / (norm_in i r + eps2 * phi) / (sqrt (v i) + eps1).

  Let W := kappa * bound + eps1.

  Lemma W_pos : 0 < W.
  Proof.
    unfold W. pose proof (bound_nonneg G start bound bounded inhabited).
    pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c).
    assert (0 <= kappa * bound) by (apply Rmult_le_pos; lra). lra.
  Qed.

  Variables (f : vec -> R) (D : vec -> vec) (L f_inf : R).
  Hypothesis L_nonneg : 0 <= L.
  Hypothesis upper : forall x y,
    f y <= f x + dot n (D x) (fun i => y i - x i) + L / 2 * sq n (fun i => y i - x i).
  Hypothesis lipschitz : forall x y, sq n (fun i => D x i - D y i) <= L * L * sq n (fun i => x i - y i).
  Hypothesis bounded_below : forall x, f_inf <= f x.
  Variables (outs : list S -> list S) (w : list S -> S -> R) (variance : R).
  Hypothesis w_nonneg : forall H s, 0 <= w H s.
  Hypothesis w_total : forall H, mean (w H) (outs H) (fun _ => 1) = 1.

  Definition oracle factor : Prop :=
    let z := run G alpha beta1 beta2 beta3 eta start factor in
    forall H, (forall i, next outs w H (fun s => G H (theta (z H)) s i - D (theta (z H)) i) = 0)
              /\ next outs w H (fun s => sq n (fun i => G H (theta (z H)) s i - D (theta (z H)) i)) <= variance.

  Let lhs factor := mean_square_gradient n G alpha beta1 beta2 beta3 eta start factor D outs w.
  Let rhs := right_side n alpha beta1 beta2 eta start f D f_inf variance.

  Theorem esgd T : oracle plain ->
    L * eta <= 1 / 2 -> C_delta beta1 beta2 c * ((eta * L) * (eta * L)) <= 1 / 2 ->
    (0 < n)%nat -> (0 < T)%nat -> lhs plain T <= rhs 1 1 T.
  Proof.
    intros O S1 S2 Hn HT.
    apply (bound_for n G alpha beta1 beta2 beta3 eta start plain f D L f_inf) with (variance := variance);
      try assumption; try lra; try (intros; apply O).
    - intros; unfold plain; lra.
    - fold c. rewrite Rmult_1_r. exact S2.
  Qed.

  Theorem eadam T : oracle adam ->
    L * eta * / eps1 <= 1 / 2 -> C_delta beta1 beta2 c * ((eta * / eps1 * L) * (eta * / eps1 * L)) <= 1 / 2 ->
    (0 < n)%nat -> (0 < T)%nat -> lhs adam T <= rhs (/ W) (/ eps1) T.
  Proof.
    intros O S1 S2 Hn HT. pose proof W_pos as HW.
    apply (bound_for n G alpha beta1 beta2 beta3 eta start adam f D L f_inf) with (variance := variance);
      try assumption; try (intros; apply O).
    - apply Rinv_0_lt_compat; exact HW.
    - apply Rinv_le_contravar; [exact E1|]. unfold W.
      pose proof (bound_nonneg G start bound bounded inhabited).
      pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c). assert (0 <= kappa * bound) by (apply Rmult_le_pos; lra). lra.
    - intros s K i _.
      destruct (root_bounded G alpha beta1 beta2 beta3 eta start adam bound kappa B1 B3 bounded kappa_is inhabited (s :: K) i).
      set (z := run G alpha beta1 beta2 beta3 eta start adam) in *. unfold adam.
      split; apply Rinv_le_contravar; unfold W; lra.
  Qed.

  (** Bounds of the layer factor (Lemma 9 with lambda = 0). *)
  Let rho := kappa * bound / eps1.
  Variable d_max : R.                                   (* the size of the largest layer *)
  Hypothesis layer_size : forall i, sum n (fun j => if Nat.eqb (layer j) (layer i) then 1 else 0) <= d_max.
  Let reach := sqrt d_max * rho.
  Let s_min := eps3 / (reach + eps2 * eps3).

  Lemma norm_nonneg i x : 0 <= norm_in i x. Proof. apply sqrt_pos. Qed.

  Lemma norm_bounded i x r : 0 <= r -> (forall j, Rabs (x j) <= r) -> norm_in i x <= sqrt d_max * r.
  Proof.
    intros Hr Hx. unfold norm_in. rewrite <- (sqrt_square r) by exact Hr.
    assert (Hd : 0 <= d_max).
    { eapply Rle_trans; [|apply (layer_size i)]. apply sum_nonneg; intros j _. destruct (Nat.eqb _ _); lra. }
    rewrite <- sqrt_mult_alt by exact Hd. apply sqrt_le_1_alt.
    apply Rle_trans with (sum n (fun j => r * r * (if Nat.eqb (layer j) (layer i) then 1 else 0))).
    - apply sum_le; intros j _. destruct (Nat.eqb _ _); [|lra].
      rewrite Rmult_1_r. change (Rsqr (x j) <= Rsqr r). rewrite Rsqr_abs.
      apply Rsqr_incr_1; [apply Hx|apply Rabs_pos|exact Hr].
    - rewrite sum_scal, Rmult_comm. apply Rmult_le_compat_r; [apply Rle_0_sqr|apply layer_size].
  Qed.

  Lemma rho_nonneg : 0 <= rho.
  Proof.
    unfold rho. pose proof (bound_nonneg G start bound bounded inhabited).
    pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c).
    apply Rmult_le_pos; [apply Rmult_le_pos; lra|left; apply Rinv_0_lt_compat; exact E1].
  Qed.

  Theorem alto_algorithm_1 T : oracle alto ->
    let q_max := / (eps1 * eps2) in
    L * eta * q_max <= 1 / 2 -> C_delta beta1 beta2 c * ((eta * q_max * L) * (eta * q_max * L)) <= 1 / 2 ->
    (0 < n)%nat -> (0 < T)%nat -> lhs alto T <= rhs (s_min / W) q_max T.
  Proof.
    intros O q_max S1 S2 Hn HT. pose proof W_pos as HW. pose proof rho_nonneg as Hr.
    assert (HR : 0 <= reach) by (apply Rmult_le_pos; [apply sqrt_pos|exact Hr]).
    assert (He : 0 < eps2 * eps3) by (apply Rmult_lt_0_compat; assumption).
    assert (Hs : 0 < s_min) by (apply Rmult_lt_0_compat; [assumption|apply Rinv_0_lt_compat; lra]).
    assert (Hs2 : s_min <= / eps2).
    { unfold s_min. apply Rmult_le_reg_r with (reach + eps2 * eps3); [lra|].
      replace (eps3 / (reach + eps2 * eps3) * (reach + eps2 * eps3)) with eps3 by (field; lra).
      replace (/ eps2 * (reach + eps2 * eps3)) with (/ eps2 * reach + eps3) by (field; lra).
      assert (0 <= / eps2 * reach) by (apply Rmult_le_pos; [left; apply Rinv_0_lt_compat; assumption|assumption]). lra. }
    assert (HWe : eps1 <= W).
    { unfold W, rho in *. pose proof (bound_nonneg G start bound bounded inhabited).
      pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c). assert (0 <= kappa * bound) by (apply Rmult_le_pos; lra). lra. }
    apply (bound_for n G alpha beta1 beta2 beta3 eta start alto f D L f_inf) with (variance := variance);
      try assumption; try (intros; apply O).
    - apply Rmult_lt_0_compat; [exact Hs|apply Rinv_0_lt_compat; exact HW].
    - unfold q_max. rewrite Rinv_mult, (Rmult_comm (/ eps1)). apply Rmult_le_compat.
      + lra.
      + left; apply Rinv_0_lt_compat; exact HW.
      + exact Hs2.
      + apply Rinv_le_contravar; assumption.
    - intros s K i _.
      set (z := run G alpha beta1 beta2 beta3 eta start alto). unfold alto.
      set (r := fun j => m (z (s :: K)) j / (sqrt (v (z (s :: K)) j) + eps1)).
      set (phi := norm_in i (theta (z K)) + eps3).
      destruct (root_bounded G alpha beta1 beta2 beta3 eta start alto bound kappa B1 B3 bounded kappa_is inhabited (s :: K) i) as [R1 R2].
      fold z in R1, R2.
      assert (Hrn : norm_in i r <= reach).
      { apply norm_bounded; [exact Hr|]. intros j. unfold r, rho.
        destruct (root_bounded G alpha beta1 beta2 beta3 eta start alto bound kappa B1 B3 bounded kappa_is inhabited (s :: K) j) as [P1 P2].
        fold z in P1, P2. unfold Rdiv. rewrite Rabs_mult. apply Rmult_le_compat; try apply Rabs_pos.
        - apply (m_bounded G alpha beta1 beta2 beta3 eta start alto bound kappa B1 B2 bounded kappa_is inhabited (s :: K) j).
        - rewrite Rabs_right; [apply Rinv_le_contravar; lra|]. left. apply Rinv_0_lt_compat. lra. }
      pose proof (norm_nonneg i r) as Hn0. pose proof (norm_nonneg i (theta (z K))) as Ht0. fold phi in Ht0 |- *.
      assert (Hphi : eps3 <= phi) by (unfold phi; lra).
      assert (0 < eps2 * phi) by (apply Rmult_lt_0_compat; lra).
      assert (Sl : s_min <= phi / (norm_in i r + eps2 * phi)).
      { unfold s_min. apply Rmult_le_reg_r with ((reach + eps2 * eps3) * (norm_in i r + eps2 * phi)).
        - apply Rmult_lt_0_compat; lra.
        - replace (eps3 / (reach + eps2 * eps3) * ((reach + eps2 * eps3) * (norm_in i r + eps2 * phi)))
            with (eps3 * norm_in i r + eps2 * eps3 * phi) by (field; lra).
          replace (phi / (norm_in i r + eps2 * phi) * ((reach + eps2 * eps3) * (norm_in i r + eps2 * phi)))
            with (phi * reach + eps2 * eps3 * phi) by (field; lra).
          assert (eps3 * norm_in i r <= phi * reach) by (apply Rmult_le_compat; lra). lra. }
      assert (Su : phi / (norm_in i r + eps2 * phi) <= / eps2).
      { apply Rmult_le_reg_r with (norm_in i r + eps2 * phi); [lra|].
        replace (phi / (norm_in i r + eps2 * phi) * (norm_in i r + eps2 * phi)) with phi by (field; lra).
        replace (/ eps2 * (norm_in i r + eps2 * phi)) with (/ eps2 * norm_in i r + phi) by (field; lra).
        assert (0 <= / eps2 * norm_in i r) by (apply Rmult_le_pos; [left; apply Rinv_0_lt_compat; assumption|assumption]). lra. }
      assert (I1 : / W <= / (sqrt (v (z (s :: K)) i) + eps1)) by (apply Rinv_le_contravar; unfold W; lra).
      assert (I2 : / (sqrt (v (z (s :: K)) i) + eps1) <= / eps1) by (apply Rinv_le_contravar; lra).
      assert (0 < / W) by (apply Rinv_0_lt_compat; exact HW).
      split.
      + apply Rmult_le_compat; lra.
      + unfold q_max. rewrite Rinv_mult, (Rmult_comm (/ eps1)). apply Rmult_le_compat; lra.
  Qed.
End Methods.

