(** One step of the paper's methods from the two moments: EAdam and ALTO, with and without bias correction, with decoupled
    weight decay; and the same as a diagonal preconditioner Q on m + P theta, with bounds of Q. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Proofs Require Import Sums Vectors Adaptor Filters Lemmas.
Local Open Scope R_scope.

Lemma Rdiv_1 x : x / 1 = x.
Proof. field. Qed.

Section Method.
  Variables (n : nat) (layer : nat -> nat).              (* n coordinates; the layer of each *)
  Variables (layerwise corrected : bool).                 (* ALTO or EAdam; bias correction of both moments *)
  Variables (beta2 beta3 eps1 eps2 eps3 : R).

  Definition bias (beta : R) (k : nat) : R := if corrected then 1 - beta ^ k else 1.
  Definition W (k : nat) (v : vec) : vec := fun i => sqrt (v i / bias beta3 k) + eps1.
  (** Adam's ratio of the moments, and the direction with weight decay. *)
  Definition ratio (k : nat) (m v : vec) : vec := fun i => m i / bias beta2 k / W k v i.
  Definition r (gamma : R) (k : nat) (theta m v : vec) : vec := fun i => ratio k m v i + gamma * theta i.
  (** The layer factor. *)
  Definition s (theta r : vec) : vec := fun i =>
    if layerwise then
      let phi := norm_in n layer (layer i) theta + eps3 in phi / (norm_in n layer (layer i) r + eps2 * phi)
    else 1.
  (** theta' = theta - eta * update. *)
  Definition update (gamma : R) (k : nat) (theta m v : vec) : vec := fun i =>
    s theta (r gamma k theta m v) i * r gamma k theta m v i.

  Definition Q (gamma : R) (k : nat) (theta m v : vec) : vec := fun i =>
    s theta (r gamma k theta m v) i / (bias beta2 k * W k v i).
  Definition P (gamma : R) (k : nat) (v : vec) : vec := fun i => gamma * (bias beta2 k * W k v i).

  Hypotheses (B2 : 0 <= beta2 < 1) (B3 : 0 <= beta3 < 1) (E1 : 0 < eps1) (E2 : 0 < eps2) (E3 : 0 < eps3).

  Lemma bias_bounds beta k : 0 <= beta < 1 -> 1 - beta <= bias beta (S k) <= 1.
  Proof.
    intros Hb. unfold bias. destruct corrected; [|lra]. simpl.
    pose proof (power_le_1 beta k Hb). nra.
  Qed.

  Lemma W_at_least k v i : eps1 <= W k v i.
  Proof. unfold W. pose proof (sqrt_pos (v i / bias beta3 k)). lra. Qed.

  Lemma update_is gamma k theta m v i :
    update gamma (S k) theta m v i = Q gamma (S k) theta m v i * (m i + P gamma (S k) v i * theta i).
  Proof.
    unfold update, Q, P. pose proof (W_at_least (S k) v i). pose proof (bias_bounds beta2 k B2).
    unfold r at 2, ratio. field. split; lra.
  Qed.

  (** A bound of |m_k| over G: kappa, or, without bias correction and for constant alpha, the sum kappa_m of the |w_i|. *)
  Definition momentum_gain (alpha beta1 kappa gain : R) : Prop :=
    gain = kappa \/ (corrected = false /\ forall k, sum k (fun i => Rabs (weight alpha beta1 beta2 i)) <= gain).
  (** A bound of |m_k| / W_k: by eps1, or by Lemma 10. *)
  Definition ratio_bound (gain G rho : R) : Prop :=
    gain * G / eps1 <= rho \/ (0 < beta3 /\ beta2 ^ 2 / beta3 < 1 /\ sqrt (zeta_square beta2 beta3) <= rho).

  Definition Wmax (kappa G : R) : R := kappa * G + eps1.
  (** A bound of 1 / s for a layer of this size. *)
  Definition inverse_factor (rho gamma size : R) : R :=
    if layerwise then (sqrt size * rho + (gamma + eps2) * eps3) / eps3 else 1.
  Definition largest : R := / ((if corrected then 1 - beta2 else 1) * eps1 * (if layerwise then eps2 else 1)).

  Section Moments.
    Variables (alpha : nat -> R) (beta1 kappa G rho : R) (g : nat -> R).
    Hypotheses (g0 : g 0%nat = 0) (B1 : 0 <= beta1 < 1).
    Hypothesis kappa_is : forall k, Rabs (1 - c beta1 alpha k) + Rabs (c beta1 alpha k) <= kappa.
    Hypothesis bounded : forall k, Rabs (g k) <= G.
    Let M := Adaptor.m beta1 beta2 g alpha.
    Let V := Adaptor.v beta1 beta3 g alpha.

    Lemma root_hat_bounded k : sqrt (V (S k) / bias beta3 (S k)) <= kappa * G.
    Proof.
      pose proof (KG_nonneg alpha beta1 kappa G g kappa_is bounded) as P0.
      pose proof (bias_bounds beta3 k B3) as Hb.
      destruct (v_bounded alpha beta1 beta3 kappa G g g0 B1 B3 kappa_is bounded (S k)) as [V0 V1]. fold V in V0, V1.
      rewrite <- (sqrt_square (kappa * G)) by exact P0. apply sqrt_le_1_alt.
      apply Rmult_le_reg_r with (bias beta3 (S k)); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra.
      rewrite Rmult_1_r. eapply Rle_trans; [exact V1|]. rewrite Rmult_comm.
      apply Rmult_le_compat_l; [apply square_nonneg|]. unfold bias. destruct corrected; [lra|].
      pose proof (power_le_1 beta3 (S k) B3). lra.
    Qed.

    Lemma gain_kappa k : Rabs (M (S k) / bias beta2 (S k)) <= kappa * G.
    Proof.
      pose proof (KG_nonneg alpha beta1 kappa G g kappa_is bounded) as P0. pose proof (bias_bounds beta2 k B2) as Hb.
      pose proof (m_bounded alpha beta1 beta2 kappa G g g0 B1 B2 kappa_is bounded (S k)) as Hm. fold M in Hm.
      unfold Rdiv. rewrite Rabs_mult, (Rabs_right (/ _)) by (apply Rle_ge, inverse_nonneg; lra).
      apply Rmult_le_reg_r with (bias beta2 (S k)); [lra|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
      eapply Rle_trans; [exact Hm|]. rewrite (Rmult_comm (kappa * G)). apply Rmult_le_compat_r; [exact P0|].
      unfold bias. destruct corrected; [lra|]. pose proof (power_le_1 beta2 (S k) B2). lra.
    Qed.

    Variable gain : R.
    Hypothesis gain_is : forall k, Rabs (M (S k) / bias beta2 (S k)) <= gain * G.

    Lemma ratio_bounded k : ratio_bound gain G rho ->
      Rabs (M (S k) / bias beta2 (S k) / (sqrt (V (S k) / bias beta3 (S k)) + eps1)) <= rho.
    Proof.
      intros HR. pose proof (sqrt_pos (V (S k) / bias beta3 (S k))) as R0. specialize (gain_is k).
      set (root := sqrt (V (S k) / bias beta3 (S k))) in *. set (x := M (S k) / bias beta2 (S k)) in *.
      unfold Rdiv. rewrite Rabs_mult, (Rabs_right (/ _)) by (apply Rle_ge, inverse_nonneg; lra).
      destruct HR as [HR|(B3' & Hq & HR)].
      - eapply Rle_trans; [|exact HR]. apply Rmult_le_compat; [apply Rabs_pos|apply inverse_nonneg; lra|exact gain_is|].
        apply Rinv_le_contravar; lra.
      - apply Rmult_le_reg_r with (root + eps1); [lra|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
        pose proof (sqrt_pos (zeta_square beta2 beta3)).
        assert (K : Rabs x <= sqrt (zeta_square beta2 beta3) * root).
        { unfold x, root, M, V, bias. destruct corrected.
          - apply (lemma_10_corrected alpha beta1 beta2 beta3 g B2 (conj B3' (proj2 B3)) Hq k).
          - rewrite !Rdiv_1. apply (lemma_10_constant alpha beta1 beta2 beta3 g B2 (conj B3' (proj2 B3)) Hq (S k)). }
        nra.
    Qed.
  End Moments.

  (** kappa_m is such a gain. *)
  Lemma gain_bounded alpha beta1 kappa gain G g k : g 0%nat = 0 -> 0 <= beta1 < 1 ->
    (forall j, Rabs (1 - c beta1 (fun _ => alpha) j) + Rabs (c beta1 (fun _ => alpha) j) <= kappa) ->
    (forall j, Rabs (g j) <= G) -> momentum_gain alpha beta1 kappa gain ->
    Rabs (Adaptor.m beta1 beta2 g (fun _ => alpha) (S k) / bias beta2 (S k)) <= gain * G.
  Proof.
    intros g0 B1 HK HG [->|[Hc Hm]]; [apply (gain_kappa _ beta1 kappa G g g0 B1 HK HG)|].
    unfold bias. rewrite Hc, Rdiv_1, momentum_filter by exact g0. apply filter_bounded; assumption.
  Qed.

  (** *** Bounds of the preconditioner from those of the two moments, one step *)
  Section Bounds.
    Variables (gamma KG rho d_max : R) (k : nat) (theta m v : vec).
    Hypotheses (gamma_nonneg : 0 <= gamma) (rho_nonneg : 0 <= rho).
    Hypothesis root_is : forall i, sqrt (v i / bias beta3 (S k)) <= KG.
    Hypothesis ratio_is : forall i, Rabs (ratio (S k) m v i) <= rho.
    Hypothesis size_is : forall i, size n layer (layer i) <= d_max.
    Let rr := r gamma (S k) theta m v.

    Lemma W_at_most i : W (S k) v i <= KG + eps1.
    Proof. unfold W. pose proof (root_is i). lra. Qed.

    Lemma within_r l : within layer l rr = (fun i => within layer l (ratio (S k) m v) i + gamma * within layer l theta i).
    Proof. apply functional_extensionality; intros i. unfold within, rr, r. destruct (Nat.eqb _ _); ring. Qed.

    Lemma factor_bounds i : 0 < s theta rr i /\ s theta rr i <= / (if layerwise then eps2 else 1)
      /\ / s theta rr i <= inverse_factor rho gamma (size n layer (layer i)).
    Proof.
      unfold s, inverse_factor. destruct layerwise; [|rewrite Rinv_1; lra].
      destruct (lemma_9 n (within layer (layer i) theta) (within layer (layer i) (ratio (S k) m v)) gamma eps2 eps3
                  gamma_nonneg E2 E3) as (_ & Hs & Hi).
      rewrite <- within_r in Hs, Hi. cbv zeta.
      fold (norm_in n layer (layer i) theta) in Hs, Hi. fold (norm_in n layer (layer i) rr) in Hs, Hi.
      fold (norm_in n layer (layer i) (ratio (S k) m v)) in Hi.
      pose proof (norm_nonneg n (within layer (layer i) theta)) as T0. pose proof (norm_nonneg n (within layer (layer i) rr)) as R0.
      fold (norm_in n layer (layer i) theta) in T0. fold (norm_in n layer (layer i) rr) in R0.
      split; [|split; [exact Hs|]].
      - apply Rmult_lt_0_compat; [lra|apply Rinv_0_lt_compat; nra].
      - eapply Rle_trans; [exact Hi|].
        pose proof (norm_bounded n layer (layer i) (ratio (S k) m v) rho rho_nonneg ratio_is) as Hn.
        replace ((sqrt (size n layer (layer i)) * rho + (gamma + eps2) * eps3) / eps3)
          with (sqrt (size n layer (layer i)) * rho / eps3 + gamma + eps2) by (field; lra).
        apply Rplus_le_compat_r, Rplus_le_compat_r. apply Rmult_le_compat_r; [apply inverse_nonneg; lra|exact Hn].
    Qed.

    Lemma factor_grows size size' : 0 <= size <= size' -> inverse_factor rho gamma size <= inverse_factor rho gamma size'.
    Proof.
      intros [S0 S1]. unfold inverse_factor. destruct layerwise; [|lra].
      apply Rmult_le_compat_r; [apply inverse_nonneg; lra|]. apply Rplus_le_compat_r.
      apply Rmult_le_compat_r; [exact rho_nonneg|apply sqrt_le_1_alt; exact S1].
    Qed.

    Theorem Q_bounds i :
      / ((KG + eps1) * inverse_factor rho gamma d_max) <= Q gamma (S k) theta m v i <= largest.
    Proof.
      destruct (factor_bounds i) as (S0 & S1 & S2). fold rr. unfold Q. fold rr.
      pose proof (factor_grows (size n layer (layer i)) d_max (conj (size_nonneg _ _ _) (size_is i))) as Sg.
      pose proof (W_at_least (S k) v i) as W0. pose proof (W_at_most i) as W1. pose proof (bias_bounds beta2 k B2) as Hb.
      assert (Hz : (if corrected then 1 - beta2 else 1) <= bias beta2 (S k)) by (unfold bias in *; destruct corrected; lra).
      set (x := s theta rr i) in *. set (y := W (S k) v i) in *. set (z := bias beta2 (S k)) in *.
      assert (Hx : 0 < / x) by (apply Rinv_0_lt_compat; exact S0).
      assert (Hz0 : 0 < (if corrected then 1 - beta2 else 1)) by (destruct corrected; lra).
      assert (He : 0 < (if layerwise then eps2 else 1)) by (destruct layerwise; lra).
      assert (E : x / (z * y) = / (z * y * / x)) by (field; repeat split; lra). rewrite E. split.
      - apply Rinv_le_contravar; [repeat apply Rmult_lt_0_compat; lra|].
        apply Rmult_le_compat; [apply Rmult_le_pos; lra|lra| |lra]. nra.
      - unfold largest. apply Rinv_le_contravar; [repeat apply Rmult_lt_0_compat; lra|].
        apply Rmult_le_compat; try (repeat apply Rmult_le_pos; lra); try lra.
        + apply Rmult_le_compat; lra.
        + rewrite <- (Rinv_inv (if layerwise then eps2 else 1)). apply Rinv_le_contravar; assumption.
    Qed.
  End Bounds.
End Method.
