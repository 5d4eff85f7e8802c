(** Theorem C: the regret of ALTO and EAdam on convex losses, along every path: no probability. With alpha that varies,
    with or without bias correction, with decoupled weight decay, with or without enforced monotonicity.
    Step k = 1, 2, ... goes from theta k with the loss f k and its subgradient g k. *)
From Coq Require Import Reals Lra Lia PeanoNat FunctionalExtensionality.
From Proofs Require Import Sums Vectors Adaptor Filters Lemmas Methods.
Local Open Scope R_scope.

Lemma sum_all_zero n f : (forall i, (i < n)%nat -> f i = 0) -> sum n f = 0.
Proof. intros H. rewrite <- (sum_zero n). apply sum_ext. exact H. Qed.

Lemma roots_sum T : sum T (fun k => / sqrt (INR (S k))) <= 2 * sqrt (INR T).
Proof.
  induction T as [|T IH]; [simpl; rewrite sqrt_0; lra|]. rewrite sum_S.
  assert (P : 0 < INR (S T)) by (apply lt_0_INR; lia).
  set (a := sqrt (INR (S T))) in *. set (b := sqrt (INR T)) in *.
  assert (Ha : 0 < a) by (apply sqrt_lt_R0; exact P). assert (Hb : 0 <= b) by apply sqrt_pos.
  assert (E : a * a - b * b = 1) by (unfold a, b; rewrite !sqrt_sqrt; [rewrite S_INR; ring|apply pos_INR|lra]).
  assert (K : / a <= 2 * (a - b)); [|lra].
  apply Rmult_le_reg_l with a; [exact Ha|]. rewrite Rinv_r by lra. nra.
Qed.

Lemma root_at_least_1 k : 1 <= sqrt (INR (S k)).
Proof. rewrite <- sqrt_1. apply sqrt_le_1_alt. rewrite S_INR. pose proof (pos_INR k). lra. Qed.

Lemma norm_at_most n (x : vec) r : 0 <= r -> (forall i, (i < n)%nat -> Rabs (x i) <= r) -> norm n x <= sqrt (INR n) * r.
Proof.
  intros Hr Hx. unfold norm. rewrite <- (sqrt_square r) by exact Hr. rewrite <- sqrt_mult_alt by apply pos_INR.
  apply sqrt_le_1_alt. unfold sq. rewrite <- sum_const. apply sum_le; intros. apply square_abs_le, Hx. assumption.
Qed.

Lemma norm_1_2 n (x : vec) : sum n (fun i => Rabs (x i)) <= sqrt (INR n) * norm n x.
Proof.
  pose proof (cauchy_schwarz n (fun i => Rabs (x i)) (fun _ => 1)) as C. pose proof (Rle_abs (dot n (fun i => Rabs (x i)) (fun _ => 1))) as A.
  assert (E : dot n (fun i => Rabs (x i)) (fun _ => 1) = sum n (fun i => Rabs (x i))) by (apply sum_ext; intros; ring).
  assert (F : norm n (fun i => Rabs (x i)) = norm n x).
  { unfold norm. f_equal. apply sum_ext; intros. rewrite <- Rabs_mult. apply Rabs_right, Rle_ge, square_nonneg. }
  assert (O : norm n (fun _ => 1) = sqrt (INR n)) by (unfold norm, sq; rewrite sum_const; f_equal; ring).
  rewrite E, F, O in *. lra.
Qed.

(** *** The layer factor over all layers *)
Lemma sum_pick N j (x : R) : (j < N)%nat -> sum N (fun l => if Nat.eqb j l then x else 0) = x.
Proof.
  induction N as [|k IH]; intros L; [lia|]. rewrite sum_S. destruct (Nat.eq_dec j k) as [->|Ne].
  - rewrite Nat.eqb_refl, (sum_ext k _ (fun _ => 0)), sum_zero; [ring|].
    intros l Hl. replace (Nat.eqb k l) with false by (symmetry; apply Nat.eqb_neq; lia). reflexivity.
  - rewrite IH by lia. replace (Nat.eqb j k) with false by (symmetry; apply Nat.eqb_neq; exact Ne). ring.
Qed.

Section Factor.
  Variables (n N : nat) (layer : nat -> nat).
  Hypothesis layers : forall i, (i < n)%nat -> (layer i < N)%nat.

  Lemma sum_layers F : sum n F = sum N (fun l => sum n (within layer l F)).
  Proof.
    rewrite sum_exchange. apply sum_ext; intros i Hi. unfold within. symmetry. apply sum_pick, layers. exact Hi.
  Qed.

  Lemma norm_of_layers x : norm N (fun l => norm_in n layer l x) = norm n x.
  Proof.
    unfold norm. f_equal. unfold sq. rewrite (sum_layers (fun i => x i * x i)). apply sum_ext; intros l _.
    unfold norm_in. rewrite norm_square. apply sum_ext; intros. unfold within. destruct (Nat.eqb _ _); ring.
  Qed.

  Variables (eps2 eps3 : R) (theta r : vec).
  Hypotheses (E2 : 0 < eps2) (E3 : 0 < eps3).
  Let phi l := norm_in n layer l theta + eps3.
  Let factor l := phi l / (norm_in n layer l r + eps2 * phi l).

  Lemma factor_nonneg l : 0 <= factor l /\ factor l * norm_in n layer l r <= phi l.
  Proof.
    pose proof (norm_nonneg n (within layer l theta)) as T0. pose proof (norm_nonneg n (within layer l r)) as R0.
    fold (norm_in n layer l theta) in T0. fold (norm_in n layer l r) in R0.
    assert (P : 0 < phi l) by (unfold phi; lra). assert (Q : 0 < norm_in n layer l r + eps2 * phi l) by nra.
    split; [apply Rmult_le_pos; [lra|apply inverse_nonneg; exact Q]|].
    apply Rmult_le_reg_r with (norm_in n layer l r + eps2 * phi l); [exact Q|]. unfold factor.
    replace (phi l / (norm_in n layer l r + eps2 * phi l) * norm_in n layer l r * (norm_in n layer l r + eps2 * phi l))
      with (phi l * norm_in n layer l r) by (field; lra). apply Rmult_le_compat_l; nra.
  Qed.

  Lemma phi_norm : norm N phi <= norm n theta + sqrt (INR N) * eps3.
  Proof.
    eapply Rle_trans; [apply (norm_triangle N (fun l => norm_in n layer l theta) (fun _ => eps3))|].
    rewrite norm_of_layers. apply Rplus_le_compat_l. apply norm_at_most; [lra|]. intros. rewrite Rabs_right; lra.
  Qed.

  Lemma layer_sum k : sum n (fun i => factor (layer i) ^ k * (r i * r i))
                      = sum N (fun l => factor l ^ k * (norm_in n layer l r * norm_in n layer l r)).
  Proof.
    rewrite (sum_layers (fun i => factor (layer i) ^ k * (r i * r i))). apply sum_ext; intros l _. unfold norm_in at 1 2.
    rewrite norm_square. unfold sq. rewrite <- sum_scal. apply sum_ext; intros i _. unfold within.
    destruct (Nat.eqb_spec (layer i) l) as [->|]; ring.
  Qed.

  Definition reach_now (layerwise : bool) : R := if layerwise then norm n theta + sqrt (INR N) * eps3 else norm n r.

  Lemma reach_bounds layerwise : let factors := s n layer layerwise eps2 eps3 theta r in
    sum n (fun i => factors i * (r i * r i)) <= reach_now layerwise * norm n r
    /\ norm n (fun i => factors i * r i) <= reach_now layerwise.
  Proof.
    intros factors. unfold reach_now. destruct layerwise; [assert (E : forall i, factors i = factor (layer i)) by reflexivity|].
    - assert (Ph : forall l, 0 <= phi l).
      { intros l. pose proof (norm_nonneg n (within layer l theta)) as T0. fold (norm_in n layer l theta) in T0. unfold phi. lra. }
      split.
      + rewrite (sum_ext n _ (fun i => factor (layer i) ^ 1 * (r i * r i)))
          by (intros; rewrite E; ring). rewrite layer_sum.
        apply Rle_trans with (dot N phi (fun l => norm_in n layer l r)).
        * unfold dot. apply sum_le; intros l _. destruct (factor_nonneg l) as [F0 F1].
          pose proof (norm_nonneg n (within layer l r)) as R0. fold (norm_in n layer l r) in R0.
          replace (factor l ^ 1 * (norm_in n layer l r * norm_in n layer l r))
            with (factor l * norm_in n layer l r * norm_in n layer l r) by ring. apply Rmult_le_compat_r; assumption.
        * eapply Rle_trans; [apply Rle_abs|]. eapply Rle_trans; [apply cauchy_schwarz|]. rewrite norm_of_layers.
          apply Rmult_le_compat_r; [apply norm_nonneg|apply phi_norm].
      + eapply Rle_trans; [|apply phi_norm]. unfold norm. apply sqrt_le_1_alt. unfold sq.
        rewrite (sum_ext n _ (fun i => factor (layer i) ^ 2 * (r i * r i)))
          by (intros; rewrite E; ring). rewrite layer_sum.
        apply sum_le; intros l _. destruct (factor_nonneg l) as [F0 F1].
        pose proof (norm_nonneg n (within layer l r)) as R0. fold (norm_in n layer l r) in R0.
        replace (factor l ^ 2 * (norm_in n layer l r * norm_in n layer l r))
          with (factor l * norm_in n layer l r * (factor l * norm_in n layer l r)) by ring.
        apply Rmult_le_compat; try assumption; apply Rmult_le_pos; assumption.
    - assert (E : forall i, factors i = 1) by reflexivity. split.
      + apply Req_le. rewrite norm_square. apply sum_ext; intros. rewrite E. ring.
      + apply Req_le. unfold norm. f_equal. apply sum_ext; intros. rewrite E. ring.
  Qed.
End Factor.

(** *** One coordinate of the distance *)
Lemma distance_sum (B y : nat -> R) width T : (forall k, 0 <= B (S k)) -> (forall k, y (S k) <= width) ->
  (forall k, 0 <= y k) ->
  sum (S T) (fun k => B (S k) * (y (S k) - y (S (S k))))
  <= width * (B (S T) + sum T (fun k => Rmax 0 (B (S k) - B (S (S k))))).
Proof.
  intros HB Hy H0. assert (K : sum (S T) (fun k => B (S k) * (y (S k) - y (S (S k)))) + B (S T) * y (S (S T))
    <= width * (B (S T) + sum T (fun k => Rmax 0 (B (S k) - B (S (S k)))))).
  { induction T as [|T IH].
    - simpl. pose proof (HB 0%nat). pose proof (Hy 0%nat). nra.
    - rewrite (sum_S (S T)), (sum_S T (fun k => Rmax _ _)). pose proof (HB T). pose proof (HB (S T)). pose proof (Hy (S T)). pose proof (H0 (S (S T))).
      set (X := sum (S T) _) in *. set (F := sum T _) in *.
      destruct (Rle_lt_dec (B (S T)) (B (S (S T)))).
      + rewrite Rmax_left by lra. nra.
      + rewrite Rmax_right by lra. nra. }
  pose proof (HB T). pose proof (H0 (S (S T))). assert (0 <= B (S T) * y (S (S T))) by (apply Rmult_le_pos; assumption). lra.
Qed.

(** *** The methods *)
Section Online.
  Variables (n N : nat) (layer : nat -> nat).              (* n coordinates in N layers *)
  Variables (layerwise corrected : bool).                    (* ALTO or EAdam; bias correction *)
  Variables (alpha gamma : nat -> R) (beta1 beta2 beta3 eps1 eps2 eps3 eta : R).
  Variables (theta g : nat -> vec).

  Definition moment_m (k : nat) : vec := fun i => Adaptor.m beta1 beta2 (fun j => g j i) alpha k.
  Definition moment_v (k : nat) : vec := fun i => Adaptor.v beta1 beta3 (fun j => g j i) alpha k.
  Definition rate (k : nat) : R := eta / sqrt (INR k).
  Definition update_now (k : nat) : vec :=
    update n layer layerwise corrected beta2 beta3 eps1 eps2 eps3 (gamma k) k (theta k) (moment_m k) (moment_v k).
  (** theta' = theta - M / H with M = m + gamma b W theta and H = b W / (eta_k s), b = 1 - beta2^k or 1. *)
  Definition M_now (k : nat) : vec := fun i =>
    moment_m k i + P corrected beta2 beta3 eps1 (gamma k) k (moment_v k) i * theta k i.
  Definition H_now (k : nat) : vec := fun i =>
    bias corrected beta2 k * W corrected beta3 eps1 k (moment_v k) i
    / (rate k * s n layer layerwise eps2 eps3 (theta k)
                  (r corrected beta2 beta3 eps1 (gamma k) k (theta k) (moment_m k) (moment_v k)) i).
  (** The running maximum of H, with which monotonicity is enforced. *)
  Fixpoint H_largest (k : nat) : vec := fun i => match k with O => 0 | S j => Rmax (H_largest j i) (H_now (S j) i) end.

  (** The step of the method itself, and with enforced monotonicity; [clip i] keeps a coordinate in the box, or is the
      identity. *)
  Variable clip : nat -> R -> R.
  Definition literal_step : Prop := forall k i, theta (S (S k)) i = clip i (theta (S k) i - rate (S k) * update_now (S k) i).
  Definition enforced_step : Prop := forall k i, theta (S (S k)) i = clip i (theta (S k) i - M_now (S k) i / H_largest (S k) i).

  (** The losses and their subgradients in the box, in which the iterates stay (C4). *)
  Variables (f : nat -> vec -> R) (lo hi star far : vec) (G width D decay kappa gain rho age variation : R).
  Definition in_box (x : vec) : Prop := forall i, lo i <= x i <= hi i.
  Definition online_problem : Prop :=
    (forall k x, in_box x -> f (S k) (theta (S k)) + dot n (g (S k)) (fun i => x i - theta (S k) i) <= f (S k) x)
    /\ (forall i, g 0%nat i = 0) /\ (forall k i, Rabs (g k i) <= G)
    /\ (forall k, in_box (theta (S k))) /\ in_box star
    /\ (forall k i, Rabs (theta (S k) i - star i) <= far i) /\ (forall i, far i <= width) /\ (forall k, norm n (theta (S k)) <= D)
    /\ (forall i x y, Rabs (clip i x - clip i y) <= Rabs (x - y)) /\ (forall i x, lo i <= x <= hi i -> clip i x = x).

  (** What the constants are: kappa bounds |1 - c_k| + |c_k|, [gain] the |m_k| over G, [rho] the |m_k| / W_k, and [age] the
      |b m_k - alpha_(k+1) h_k| over G. *)
  Definition constants : Prop :=
    (forall i, (i < n)%nat -> (layer i < N)%nat)
    /\ 0 <= beta1 < 1 /\ 0 <= beta2 < 1 /\ 0 <= beta3 < 1 /\ 0 < eps1 /\ 0 < eps2 /\ 0 < eps3 /\ 0 < eta
    /\ (forall k, 0 <= gamma (S k) <= decay / sqrt (INR (S k)))
    /\ (forall k, Rabs (1 - c beta1 alpha k) + Rabs (c beta1 alpha k) <= kappa)
    /\ ratio_bound beta2 beta3 eps1 gain G rho /\ 0 <= rho
    /\ (forall T, sum T (fun k => Rabs (alpha (S k) - alpha (S (S k)))) <= variation)
    /\ ((exists alpha0, alpha = (fun _ => alpha0) /\ momentum_gain corrected beta2 alpha0 beta1 kappa gain
                        /\ forall k, sum k (fun i => Rabs (age_weight alpha0 beta1 beta2 i)) <= age)
        \/ gain = kappa /\ exists alpha_max, (forall k, Rabs (alpha k) <= alpha_max)
                                             /\ age = kappa * (beta2 / (1 - beta2)) + alpha_max).

  (** The constants of the bound. *)
  Definition direction : R := sqrt (INR n) * rho + decay * D.
  Definition reach : R := if layerwise then D + sqrt (INR N) * eps3 else direction.
  Definition regret_A : R :=
    width * width * Wmax eps1 kappa G * sum n (fun i => inverse_factor layerwise eps2 eps3 rho decay (size n layer (layer i)))
      / (2 * eta)
    + eta * Wmax eps1 kappa G * reach * direction
    + decay / 2 * Wmax eps1 kappa G * sq n star
    + 2 * age * G * sqrt (INR n) * eta * reach.
  Definition regret_B : R := age * G * INR n * width + variation * G * INR n * width.
  Definition regret (T : nat) : R := sum T (fun k => f (S k) (theta (S k)) - f (S k) star).

  Section Proof.
    Hypotheses (Pr : online_problem) (Co : constants).
    Let x k i := theta k i - star i.
    Let b := beta2 / (1 - beta2).

    Lemma g_0 i : (fun j => g j i) 0%nat = 0.
    Proof. apply Pr. Qed.
    Lemma g_is k i : Rabs ((fun j => g j i) k) <= G.
    Proof. apply Pr. Qed.
    Lemma kappa_is k : Rabs (1 - c beta1 alpha k) + Rabs (c beta1 alpha k) <= kappa.
    Proof. apply Co. Qed.
    Lemma G_0 : 0 <= G.
    Proof. eapply Rle_trans; [apply Rabs_pos|apply (g_is 0%nat 0%nat)]. Qed.
    Lemma KG_0 : 0 <= kappa * G.
    Proof. apply (KG_nonneg alpha beta1 kappa G (fun j => g j 0%nat) kappa_is). intros; apply g_is. Qed.
    Lemma x_small k i : Rabs (x (S k) i) <= width.
    Proof. destruct Pr as (_ & _ & _ & _ & _ & Fa & Wd & _). eapply Rle_trans; [apply Fa|apply Wd]. Qed.
    Lemma width_0 : 0 <= width.
    Proof. eapply Rle_trans; [apply Rabs_pos|apply (x_small 0 0%nat)]. Qed.

    Lemma h_small k i : Rabs (h beta1 (fun j => g j i) k) <= G.
    Proof. apply (h_bounded beta1 G (fun j => g j i)); [apply Co|intros; apply g_is]. Qed.

    Lemma gain_is k i : Rabs (moment_m (S k) i / bias corrected beta2 (S k)) <= gain * G.
    Proof.
      destruct Co as (_ & B1 & B2 & _ & _ & _ & _ & _ & _ & K & _ & _ & _ & Gn). unfold moment_m.
      destruct Gn as [(alpha0 & E & Mg & _)|[-> _]].
      - rewrite E in *. apply (gain_bounded corrected beta2 B2 alpha0 beta1 kappa); [apply g_0|exact B1|exact K|intros; apply g_is|exact Mg].
      - apply (gain_kappa corrected beta2 B2 alpha beta1 kappa G (fun j => g j i)); [apply g_0|exact B1|exact K|intros; apply g_is].
    Qed.

    Lemma ratio_is k i : Rabs (ratio corrected beta2 beta3 eps1 (S k) (moment_m (S k)) (moment_v (S k)) i) <= rho.
    Proof.
      destruct Co as (_ & _ & B2 & B3 & E1 & _ & _ & _ & _ & _ & Rb & _). unfold ratio, W, moment_m, moment_v.
      apply (ratio_bounded corrected beta2 beta3 eps1 B2 B3 E1 alpha beta1 G rho (fun j => g j i) gain); [|exact Rb].
      intros j. apply gain_is.
    Qed.

    Lemma root_is k i : sqrt (moment_v (S k) i / bias corrected beta3 (S k)) <= kappa * G.
    Proof.
      destruct Co as (_ & B1 & _ & B3 & _). unfold moment_v.
      apply (root_hat_bounded corrected beta3 B3 alpha beta1 kappa G (fun j => g j i));
        [apply g_0|exact B1|exact kappa_is|intros; apply g_is].
    Qed.

    Lemma decay_0 : 0 <= decay /\ forall k, 0 <= gamma (S k) <= decay.
    Proof.
      destruct Co as (_ & _ & _ & _ & _ & _ & _ & _ & Ga & _). assert (D0 : 0 <= decay).
      { destruct (Ga 0%nat) as [G0 G1]. simpl in G1. rewrite sqrt_1, Rdiv_1 in G1. lra. }
      split; [exact D0|]. intros k. destruct (Ga k) as [G0 G1]. split; [exact G0|]. eapply Rle_trans; [exact G1|].
      pose proof (root_at_least_1 k) as R1. apply Rmult_le_reg_r with (sqrt (INR (S k))); [lra|].
      unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. nra.
    Qed.

    (** *** The lag *)
    Let lag' k i := b * moment_m k i - alpha (S k) * h beta1 (fun j => g j i) k.
    Let last_lag k i := b * moment_m k i - alpha k * h beta1 (fun j => g j i) k.

    Lemma lag_small k i : Rabs (lag' k i) <= age * G /\ Rabs (last_lag k i) <= age * G.
    Proof.
      destruct Co as (_ & B1 & B2 & _ & _ & _ & _ & _ & _ & K & _ & _ & _ & Gn).
      destruct Gn as [(alpha0 & E & _ & A)|(_ & amax & Ha & ->)].
      - assert (L : forall k, lag' k i = lag alpha0 beta1 beta2 (fun j => g j i) k) by (intros; unfold lag', moment_m; rewrite E; reflexivity).
        assert (L' : last_lag k i = lag' k i) by (unfold last_lag, lag'; rewrite E; reflexivity).
        rewrite L', L. assert (Q : Rabs (lag alpha0 beta1 beta2 (fun j => g j i) k) <= age * G); [|split; exact Q].
        rewrite lag_filter by apply g_0. apply (filter_bounded (fun j => g j i)); [intros; apply g_is|exact A].
      - assert (Hm : Rabs (moment_m k i) <= kappa * G).
        { pose proof (lemma_3_exact alpha beta1 beta2 beta3 kappa G (fun j => g j i) (g_0 i) B1 B2) as L3.
          destruct Co as (_ & _ & _ & B3 & _). apply (L3 B3 K); intros; apply g_is. }
        pose proof (h_small k i) as Hh. assert (Hb : 0 <= b) by (apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]).
        assert (Q : forall a', Rabs a' <= amax -> Rabs (b * moment_m k i - a' * h beta1 (fun j => g j i) k) <= (kappa * b + amax) * G).
        { intros a' A. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp, !Rabs_mult, (Rabs_right b) by lra.
          assert (b * Rabs (moment_m k i) <= b * (kappa * G)) by (apply Rmult_le_compat_l; assumption).
          assert (Rabs a' * Rabs (h beta1 (fun j => g j i) k) <= amax * G) by (apply Rmult_le_compat; try apply Rabs_pos; assumption).
          lra. }
        split; apply Q, Ha.
    Qed.

    (** *** One step: M / H is the method's own; what the sums over coordinates are *)
    Let r_now k := r corrected beta2 beta3 eps1 (gamma k) k (theta k) (moment_m k) (moment_v k).
    Let s_now k := s n layer layerwise eps2 eps3 (theta k) (r_now k).
    Let bW k i := bias corrected beta2 k * W corrected beta3 eps1 k (moment_v k) i.
    Let Wm := Wmax eps1 kappa G.

    Lemma bW_is k i : 0 < bW (S k) i <= Wm.
    Proof.
      destruct Co as (_ & _ & B2 & _ & E1 & _). pose proof (bias_bounds corrected beta2 k B2) as Hb.
      pose proof (root_is k i) as R. pose proof (sqrt_pos (moment_v (S k) i / bias corrected beta3 (S k))) as R0.
      unfold bW, W, Wm, Wmax. set (y := sqrt _) in *. split; [apply Rmult_lt_0_compat; lra|].
      apply Rle_trans with (1 * (y + eps1)); [apply Rmult_le_compat_r; lra|lra].
    Qed.

    Lemma rate_pos k : 0 < rate (S k).
    Proof.
      destruct Co as (_ & _ & _ & _ & _ & _ & _ & He & _). unfold rate. pose proof (root_at_least_1 k).
      apply Rmult_lt_0_compat; [exact He|apply Rinv_0_lt_compat; lra].
    Qed.

    Lemma s_is k i : (i < n)%nat -> 0 < s_now (S k) i
      /\ / s_now (S k) i <= inverse_factor layerwise eps2 eps3 rho decay (size n layer (layer i)).
    Proof.
      intros Hi. destruct Co as (_ & _ & _ & _ & _ & E2 & E3 & _ & _ & _ & _ & R0 & _). destruct decay_0 as [D0 Ga].
      destruct (factor_bounds n layer layerwise corrected beta2 beta3 eps1 eps2 eps3 E2 E3 (gamma (S k)) rho k (theta (S k))
                  (moment_m (S k)) (moment_v (S k)) (proj1 (Ga k)) R0 (ratio_is k) i) as (S0 & _ & S2).
      fold (r_now (S k)) in S0, S2. fold (s_now (S k)) in S0, S2. split; [exact S0|]. eapply Rle_trans; [exact S2|].
      unfold inverse_factor. destruct layerwise; [|lra]. apply Rmult_le_compat_r; [apply inverse_nonneg; exact E3|].
      destruct (Ga k). nra.
    Qed.

    Lemma M_is k i : M_now (S k) i = bW (S k) i * r_now (S k) i.
    Proof.
      destruct Co as (_ & _ & B2 & _ & E1 & _). pose proof (bW_is k i) as [P0 _]. unfold bW in P0.
      pose proof (bias_bounds corrected beta2 k B2). pose proof (W_at_least corrected beta3 eps1 (S k) (moment_v (S k)) i).
      unfold M_now, P, r_now, r, ratio, bW. field. split; lra.
    Qed.

    Lemma H_is k i : (i < n)%nat -> 0 < H_now (S k) i
      <= Wm * inverse_factor layerwise eps2 eps3 rho decay (size n layer (layer i)) * (sqrt (INR (S k)) / eta).
    Proof.
      intros Hi. destruct (s_is k i Hi) as [S0 S1]. destruct (bW_is k i) as [W0 W1]. pose proof (rate_pos k) as R0.
      change (H_now (S k) i) with (bW (S k) i / (rate (S k) * s_now (S k) i)).
      assert (He : 0 < eta) by apply Co. pose proof (root_at_least_1 k) as R1.
      split; [apply Rmult_lt_0_compat; [exact W0|apply Rinv_0_lt_compat, Rmult_lt_0_compat; assumption]|].
      replace (bW (S k) i / (rate (S k) * s_now (S k) i)) with (bW (S k) i * / s_now (S k) i * (sqrt (INR (S k)) / eta))
        by (unfold rate; field; lra).
      assert (0 < / s_now (S k) i) by (apply Rinv_0_lt_compat; exact S0).
      assert (0 <= sqrt (INR (S k)) / eta) by (apply Rmult_le_pos; [lra|apply inverse_nonneg; exact He]).
      apply Rmult_le_compat_r; [assumption|]. apply Rmult_le_compat; lra.
    Qed.

    Lemma step_is k i : (i < n)%nat -> rate (S k) * update_now (S k) i = M_now (S k) i / H_now (S k) i.
    Proof.
      intros Hi. destruct (s_is k i Hi) as [S0 _]. destruct (bW_is k i) as [W0 _]. pose proof (rate_pos k).
      rewrite M_is. change (H_now (S k) i) with (bW (S k) i / (rate (S k) * s_now (S k) i)).
      change (update_now (S k) i) with (s_now (S k) i * r_now (S k) i). field. repeat split; lra.
    Qed.

    Lemma rho_0 : 0 <= rho. Proof. apply Co. Qed.
    Lemma D_0 : 0 <= D.
    Proof. destruct Pr as (_ & _ & _ & _ & _ & _ & _ & HD & _). eapply Rle_trans; [apply norm_nonneg|apply (HD 0%nat)]. Qed.

    Lemma r_norm k : norm n (r_now (S k)) <= direction.
    Proof.
      destruct decay_0 as [D0 Ga]. destruct (Ga k) as [G0 G1].
      destruct Pr as (_ & _ & _ & _ & _ & _ & _ & HD & _). specialize (HD k). pose proof (norm_nonneg n (theta (S k))).
      unfold r_now, r. eapply Rle_trans; [apply norm_triangle|]. unfold direction. apply Rplus_le_compat.
      - apply norm_at_most; [apply rho_0|]. intros i _. apply ratio_is.
      - rewrite norm_scaled by exact G0. apply Rmult_le_compat; assumption.
    Qed.

    Lemma direction_0 : 0 <= direction.
    Proof. eapply Rle_trans; [apply norm_nonneg|apply (r_norm 0)]. Qed.

    Lemma reach_is k : sum n (fun i => s_now (S k) i * (r_now (S k) i * r_now (S k) i)) <= reach * direction
      /\ norm n (fun i => s_now (S k) i * r_now (S k) i) <= reach.
    Proof.
      destruct Co as (Ly & _ & _ & _ & _ & E2 & E3 & _). pose proof (r_norm k) as Rn. pose proof direction_0 as D0.
      destruct (reach_bounds n N layer Ly eps2 eps3 (theta (S k)) (r_now (S k)) E2 E3 layerwise) as [R1 R2].
      fold (s_now (S k)) in R1, R2. pose proof (norm_nonneg n (r_now (S k))).
      assert (Q : 0 <= reach_now n N eps3 (theta (S k)) (r_now (S k)) layerwise <= reach).
      { split; [eapply Rle_trans; [apply norm_nonneg|exact R2]|]. unfold reach_now, reach.
        destruct layerwise; [|exact Rn]. apply Rplus_le_compat_r. apply Pr. }
      split; [|lra]. eapply Rle_trans; [exact R1|]. apply Rmult_le_compat; lra.
    Qed.

    Lemma reach_0 : 0 <= reach.
    Proof. eapply Rle_trans; [apply norm_nonneg|apply (reach_is 0)]. Qed.

    (** *** Any denominators that are at least H *)
    Variable B : nat -> vec.
    Hypothesis B_is : forall k i, (i < n)%nat -> H_now (S k) i <= B (S k) i
      <= Wm * inverse_factor layerwise eps2 eps3 rho decay (size n layer (layer i)) * (sqrt (INR (S k)) / eta).
    Hypothesis step : forall k i, (i < n)%nat -> theta (S (S k)) i = clip i (theta (S k) i - M_now (S k) i / B (S k) i).

    Lemma B_pos k i : (i < n)%nat -> 0 < B (S k) i.
    Proof. intros Hi. destruct (B_is k i Hi). destruct (H_is k i Hi). lra. Qed.

    Lemma clip_closer i y z : lo i <= z <= hi i -> Rabs (clip i y - z) <= Rabs (y - z).
    Proof.
      intros Hz. destruct Pr as (_ & _ & _ & _ & _ & _ & _ & _ & Sh & Fx). pose proof (Sh i y z) as K.
      rewrite (Fx i z Hz) in K. exact K.
    Qed.

    Lemma path_short k : sum n (fun i => Rabs (x (S k) i - x (S (S k)) i)) <= sqrt (INR n) * (rate (S k) * reach).
    Proof.
      pose proof (rate_pos k) as R0. destruct (reach_is k) as [_ R2].
      apply Rle_trans with (sum n (fun i => Rabs (rate (S k) * (s_now (S k) i * r_now (S k) i)))).
      - apply sum_le; intros i Hi. pose proof Pr as (_ & _ & _ & C4 & _).
        replace (x (S k) i - x (S (S k)) i) with (- (theta (S (S k)) i - theta (S k) i)) by (unfold x; ring).
        rewrite Rabs_Ropp, step by exact Hi. eapply Rle_trans; [apply clip_closer, C4|].
        replace (theta (S k) i - M_now (S k) i / B (S k) i - theta (S k) i) with (- (M_now (S k) i / B (S k) i)) by ring.
        replace (rate (S k) * (s_now (S k) i * r_now (S k) i)) with (M_now (S k) i / H_now (S k) i)
          by (symmetry; apply step_is; exact Hi).
        rewrite Rabs_Ropp. destruct (H_is k i Hi) as [H0 _]. pose proof (B_pos k i Hi) as B0. destruct (B_is k i Hi) as [HB _].
        unfold Rdiv. rewrite !Rabs_mult, (Rabs_right (/ B (S k) i)), (Rabs_right (/ H_now (S k) i))
          by (left; apply Rinv_0_lt_compat; assumption).
        apply Rmult_le_compat_l; [apply Rabs_pos|]. apply Rinv_le_contravar; assumption.
      - eapply Rle_trans; [apply norm_1_2|]. apply Rmult_le_compat_l; [apply sqrt_pos|].
        rewrite norm_scaled by lra. apply Rmult_le_compat_l; lra.
    Qed.

    (** Three points and decay, one coordinate. *)
    Lemma three_points k i : (i < n)%nat ->
      moment_m (S k) i * x (S k) i
      <= B (S k) i / 2 * (x (S k) i * x (S k) i - x (S (S k)) i * x (S (S k)) i)
         + rate (S k) * Wm / 2 * (s_now (S k) i * (r_now (S k) i * r_now (S k) i))
         + gamma (S k) / 4 * Wm * (star i * star i).
    Proof.
      intros Hi. pose proof (B_pos k i Hi) as B0. destruct (B_is k i Hi) as [HB _]. destruct (H_is k i Hi) as [H0 _].
      destruct (bW_is k i) as [W0 W1]. destruct (s_is k i Hi) as [S0 _]. pose proof (rate_pos k) as R0.
      destruct decay_0 as [_ Ga]. destruct (Ga k) as [G0 _].
      set (Mk := M_now (S k) i) in *. set (Bk := B (S k) i) in *. set (y := x (S k) i) in *.
      assert (A : x (S (S k)) i * x (S (S k)) i <= (y - Mk / Bk) * (y - Mk / Bk)).
      { unfold x at 1 2. rewrite step by exact Hi. fold Mk Bk.
        pose proof (clip_closer i (theta (S k) i - Mk / Bk) (star i)) as C. destruct Pr as (_ & _ & _ & _ & St & _).
        specialize (C (St i)).
        replace (theta (S k) i - Mk / Bk - star i) with (y - Mk / Bk) in C by (unfold y, x; ring).
        rewrite (Rsqr_abs (y - Mk / Bk) : (y - Mk / Bk) * (y - Mk / Bk) = _). apply square_abs_le. exact C. }
      assert (A2 : Bk / 2 * (x (S (S k)) i * x (S (S k)) i) <= Bk / 2 * ((y - Mk / Bk) * (y - Mk / Bk)))
        by (apply Rmult_le_compat_l; lra).
      assert (E : Bk / 2 * ((y - Mk / Bk) * (y - Mk / Bk)) = Bk / 2 * (y * y) - Mk * y + Mk * Mk / Bk / 2) by (field; lra).
      assert (Sz : Mk * Mk / Bk <= rate (S k) * Wm * (s_now (S k) i * (r_now (S k) i * r_now (S k) i))).
      { apply Rle_trans with (Mk * Mk / H_now (S k) i).
        - apply Rmult_le_compat_l; [apply square_nonneg|]. apply Rinv_le_contravar; assumption.
        - unfold Mk. rewrite M_is. change (H_now (S k) i) with (bW (S k) i / (rate (S k) * s_now (S k) i)).
          replace (bW (S k) i * r_now (S k) i * (bW (S k) i * r_now (S k) i) / (bW (S k) i / (rate (S k) * s_now (S k) i)))
            with (rate (S k) * (s_now (S k) i * (r_now (S k) i * r_now (S k) i)) * bW (S k) i)
            by (field; repeat split; lra).
          replace (rate (S k) * Wm * (s_now (S k) i * (r_now (S k) i * r_now (S k) i)))
            with (rate (S k) * (s_now (S k) i * (r_now (S k) i * r_now (S k) i)) * Wm) by ring.
          apply Rmult_le_compat_l; [|exact W1]. apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; [lra|apply square_nonneg]. }
      assert (Mm : moment_m (S k) i = Mk - gamma (S k) * bW (S k) i * theta (S k) i)
        by (unfold Mk, M_now, P, bW; ring).
      assert (Dc : - (gamma (S k) * bW (S k) i * theta (S k) i) * y <= gamma (S k) / 4 * Wm * (star i * star i)).
      { unfold y, x. set (t := theta (S k) i). set (w := gamma (S k) * bW (S k) i).
        assert (0 <= w) by (apply Rmult_le_pos; lra).
        assert (0 <= w * ((t - star i / 2) * (t - star i / 2))) by (apply Rmult_le_pos; [assumption|apply square_nonneg]).
        assert (w / 4 * (star i * star i) <= gamma (S k) / 4 * Wm * (star i * star i)).
        { apply Rmult_le_compat_r; [apply square_nonneg|]. unfold w. assert (gamma (S k) * bW (S k) i <= gamma (S k) * Wm) by (apply Rmult_le_compat_l; lra). lra. }
        replace (- (w * t) * (t - star i)) with (w / 4 * (star i * star i) - w * ((t - star i / 2) * (t - star i / 2))) by field. lra. }
      rewrite Mm. lra.
    Qed.

    (** *** The two sums of S2, and the total *)
    Let falls T := sum n (fun i => far i * far i * sum T (fun k => Rmax 0 (B (S k) i - B (S (S k)) i))) / 2.

    Lemma by_momentum T :
      sum (S T) (fun k => dot n (moment_m (S k)) (x (S k)))
      <= falls T
         + sqrt (INR (S T)) * (width * width * Wm * sum n (fun i => inverse_factor layerwise eps2 eps3 rho decay (size n layer (layer i))) / (2 * eta)
                               + eta * Wm * reach * direction + decay / 2 * Wm * sq n star).
    Proof.
      assert (He : 0 < eta) by apply Co. destruct decay_0 as [D0 _].
      assert (Wm0 : 0 <= Wm) by (destruct (bW_is 0 0%nat); lra).
      set (F := fun i => inverse_factor layerwise eps2 eps3 rho decay (size n layer (layer i))).
      apply Rle_trans with (sum (S T) (fun k => sum n (fun i => / 2 * (B (S k) i * (x (S k) i * x (S k) i - x (S (S k)) i * x (S (S k)) i)))
        + (rate (S k) * Wm / 2 * (reach * direction) + gamma (S k) / 4 * Wm * sq n star))).
      - apply sum_le; intros k _. pose proof (rate_pos k) as R0. destruct (reach_is k) as [R1 _].
        apply Rle_trans with (sum n (fun i => / 2 * (B (S k) i * (x (S k) i * x (S k) i - x (S (S k)) i * x (S (S k)) i))
          + (rate (S k) * Wm / 2 * (s_now (S k) i * (r_now (S k) i * r_now (S k) i)) + gamma (S k) / 4 * Wm * (star i * star i)))).
        + unfold dot. apply sum_le; intros i Hi. pose proof (three_points k i Hi). lra.
        + rewrite !sum_plus, !sum_scal. apply Rplus_le_compat_l, Rplus_le_compat_r.
          apply Rmult_le_compat_l; [|exact R1]. apply Rmult_le_pos; [apply Rmult_le_pos; lra|lra].
      - rewrite sum_plus. apply Rle_trans with ((falls T + sqrt (INR (S T)) * (width * width * Wm * sum n F / (2 * eta)))
          + sqrt (INR (S T)) * (eta * Wm * reach * direction + decay / 2 * Wm * sq n star)); [apply Rplus_le_compat|apply Req_le; fold F; ring].
        + rewrite sum_exchange. unfold falls.
          apply Rle_trans with (sum n (fun i => width * width * Wm * sqrt (INR (S T)) / (2 * eta) * F i
            + / 2 * (far i * far i * sum T (fun k => Rmax 0 (B (S k) i - B (S (S k)) i))))).
          * apply sum_le; intros i Hi. rewrite sum_scal.
            destruct (H_is 0 i Hi) as [_ F0]. destruct Pr as (_ & _ & _ & _ & _ & Fa & Wd & _).
            assert (Fi : 0 <= far i) by (eapply Rle_trans; [apply Rabs_pos|apply (Fa 0%nat i)]).
            pose proof (distance_sum (fun k => B k i) (fun k => x k i * x k i) (far i * far i) T) as Ds.
            cbv beta in Ds. specialize (Ds ltac:(intros; left; apply B_pos, Hi)
              ltac:(intros; apply square_abs_le, Fa) ltac:(intros; apply square_nonneg)).
            set (X := sum (S T) _) in *. set (Y := sum T _) in *.
            assert (Fw : far i * far i * B (S T) i <= width * width * (Wm * F i * (sqrt (INR (S T)) / eta))).
            { apply Rmult_le_compat; [apply square_nonneg|left; apply B_pos, Hi| |apply B_is, Hi].
              apply Rmult_le_compat; try exact Fi; apply Wd. }
            replace (width * width * Wm * sqrt (INR (S T)) / (2 * eta) * F i)
              with (/ 2 * (width * width * (Wm * F i * (sqrt (INR (S T)) / eta)))) by (field; lra). lra.
          * rewrite sum_plus, !sum_scal. apply Req_le. field. lra.
        + pose proof (roots_sum (S T)) as RS. pose proof reach_0 as Re0. pose proof direction_0 as Di0.
          apply Rle_trans with (sum (S T) (fun k => (eta * Wm / 2 * (reach * direction) + decay / 4 * Wm * sq n star) * / sqrt (INR (S k)))).
          * apply sum_le; intros k _. destruct Co as (_ & _ & _ & _ & _ & _ & _ & _ & Ga & _). destruct (Ga k) as [_ G1].
            pose proof (root_at_least_1 k). assert (0 <= / sqrt (INR (S k))) by (apply inverse_nonneg; lra).
            assert (gamma (S k) / 4 * Wm * sq n star <= decay / sqrt (INR (S k)) / 4 * Wm * sq n star).
            { apply Rmult_le_compat_r; [apply sq_nonneg|]. apply Rmult_le_compat_r; [exact Wm0|]. lra. }
            unfold rate. unfold Rdiv in *. lra.
          * rewrite sum_scal. set (C := eta * Wm / 2 * (reach * direction) + decay / 4 * Wm * sq n star).
            assert (C0 : 0 <= C).
            { unfold C. pose proof (sq_nonneg n star). apply Rplus_le_le_0_compat; repeat apply Rmult_le_pos; lra. }
            assert (C * sum (S T) (fun k => / sqrt (INR (S k))) <= C * (2 * sqrt (INR (S T)))) by (apply Rmult_le_compat_l; assumption).
            replace (sqrt (INR (S T)) * (eta * Wm * reach * direction + decay / 2 * Wm * sq n star)) with (C * (2 * sqrt (INR (S T)))) by (unfold C; field).
            assumption.
    Qed.

    Lemma by_lag T :
      sum (S T) (fun k => dot n (fun i => g (S k) i - moment_m (S k) i) (x (S k)))
      <= sqrt (INR (S T)) * (2 * age * G * sqrt (INR n) * eta * reach) + regret_B.
    Proof.
      assert (B2 : 1 - beta2 <> 0) by (destruct Co as (_ & _ & B2 & _); lra).
      assert (He : 0 < eta) by apply Co. pose proof G_0 as G0. pose proof width_0 as W0.
      assert (AG : 0 <= age * G) by (destruct (lag_small 0 0%nat) as [L _]; eapply Rle_trans; [apply Rabs_pos|exact L]).
      assert (E : forall i, sum (S T) (fun k => (g (S k) i - moment_m (S k) i) * x (S k) i)
        = last_lag (S T) i * x (S T) i + (sum T (fun k => lag' (S k) i * (x (S k) i - x (S (S k)) i))
          - sum T (fun k => (alpha (S k) - alpha (S (S k))) * h beta1 (fun j => g j i) (S k) * x (S k) i))).
      { intros i. unfold moment_m. pose proof (abel_varying beta1 beta2 (fun j => g j i) alpha (g_0 i) B2 (fun k => x k i) (S T)) as A.
        cbv zeta beta in A. rewrite A. unfold last_lag, lag', moment_m. fold b.
        rewrite (sum_first T (fun k => Adaptor.m beta1 beta2 (fun j => g j i) alpha k * _)),
          (sum_first T (fun k => alpha (S k) * _ * _)), (sum_first T (fun k => (alpha k - alpha (S k)) * _ * _)).
        simpl (Adaptor.m _ _ _ _ 0). simpl (h _ _ 0). cbv beta.
        rewrite (sum_ext T (fun k => (b * Adaptor.m beta1 beta2 (fun j => g j i) alpha (S k) - alpha (S (S k)) * h beta1 (fun j => g j i) (S k)) * (x (S k) i - x (S (S k)) i))
          (fun k => b * (Adaptor.m beta1 beta2 (fun j => g j i) alpha (S k) * (x (S k) i - x (S (S k)) i))
                    - alpha (S (S k)) * h beta1 (fun j => g j i) (S k) * (x (S k) i - x (S (S k)) i))) by (intros; ring).
        rewrite sum_minus, sum_scal. ring. }
      assert (Sw : sum (S T) (fun k => dot n (fun i => g (S k) i - moment_m (S k) i) (x (S k)))
        = sum n (fun i => last_lag (S T) i * x (S T) i) + (sum T (fun k => sum n (fun i => lag' (S k) i * (x (S k) i - x (S (S k)) i)))
          - sum T (fun k => sum n (fun i => (alpha (S k) - alpha (S (S k))) * h beta1 (fun j => g j i) (S k) * x (S k) i)))).
      { unfold dot. rewrite sum_exchange. rewrite (sum_ext n _ _ (fun i _ => E i)). rewrite sum_plus, sum_minus.
        f_equal. f_equal; rewrite sum_exchange; reflexivity. }
      rewrite Sw. unfold regret_B.
      assert (X1 : sum n (fun i => last_lag (S T) i * x (S T) i) <= age * G * INR n * width).
      { replace (age * G * INR n * width) with (INR n * (age * G * width)) by ring. rewrite <- sum_const. apply sum_le; intros i _.
        eapply Rle_trans; [apply Rle_abs|]. rewrite Rabs_mult. apply Rmult_le_compat; try apply Rabs_pos; [apply lag_small|apply x_small]. }
      assert (X2 : sum T (fun k => sum n (fun i => lag' (S k) i * (x (S k) i - x (S (S k)) i)))
                   <= sqrt (INR (S T)) * (2 * age * G * sqrt (INR n) * eta * reach)).
      { pose proof reach_0 as Re0. pose proof (sqrt_pos (INR n)) as Sn.
        assert (C0 : 0 <= age * G * (sqrt (INR n) * (eta * reach))) by (apply Rmult_le_pos; [exact AG|]; repeat apply Rmult_le_pos; lra).
        apply Rle_trans with (sum T (fun k => age * G * (sqrt (INR n) * (eta * reach)) * / sqrt (INR (S k)))).
        - apply sum_le; intros k _. apply Rle_trans with (age * G * sum n (fun i => Rabs (x (S k) i - x (S (S k)) i))).
          + rewrite <- sum_scal. apply sum_le; intros i _. eapply Rle_trans; [apply Rle_abs|]. rewrite Rabs_mult.
            apply Rmult_le_compat_r; [apply Rabs_pos|apply lag_small].
          + replace (age * G * (sqrt (INR n) * (eta * reach)) * / sqrt (INR (S k)))
              with (age * G * (sqrt (INR n) * (rate (S k) * reach))) by (unfold rate; field; pose proof (root_at_least_1 k); lra).
            apply Rmult_le_compat_l; [exact AG|apply path_short].
        - rewrite sum_scal. eapply Rle_trans; [apply Rmult_le_compat_l; [exact C0|apply roots_sum]|].
          assert (sqrt (INR T) <= sqrt (INR (S T))) by (apply sqrt_le_1_alt; rewrite S_INR; lra).
          replace (sqrt (INR (S T)) * (2 * age * G * sqrt (INR n) * eta * reach))
            with (age * G * (sqrt (INR n) * (eta * reach)) * (2 * sqrt (INR (S T)))) by ring.
          apply Rmult_le_compat_l; [exact C0|lra]. }
      assert (X3 : - sum T (fun k => sum n (fun i => (alpha (S k) - alpha (S (S k))) * h beta1 (fun j => g j i) (S k) * x (S k) i))
                   <= variation * G * INR n * width).
      { replace (variation * G * INR n * width) with (INR n * (G * width) * variation) by ring.
        assert (Nn : 0 <= INR n * (G * width)) by (apply Rmult_le_pos; [apply pos_INR|apply Rmult_le_pos; assumption]).
        eapply Rle_trans; [|apply Rmult_le_compat_l; [exact Nn|apply (proj1 (proj2 (proj2 (proj2 (proj2 (proj2 (proj2 (proj2 (proj2 (proj2 (proj2 (proj2 (proj2 Co)))))))))))) T)]].
        rewrite <- sum_scal. eapply Rle_trans; [apply Rle_abs|]. rewrite Rabs_Ropp. eapply Rle_trans; [apply sum_abs|].
        apply sum_le; intros k _. eapply Rle_trans; [apply sum_abs|].
        replace (INR n * (G * width) * Rabs (alpha (S k) - alpha (S (S k)))) with (INR n * (Rabs (alpha (S k) - alpha (S (S k))) * (G * width))) by ring.
        rewrite <- sum_const. apply sum_le; intros i _. rewrite !Rabs_mult, Rmult_assoc. apply Rmult_le_compat_l; [apply Rabs_pos|].
        apply Rmult_le_compat; try apply Rabs_pos; [apply h_small|apply x_small]. }
      lra.
    Qed.

    Theorem regret_bounded T :
      regret (S T) <= regret_A * sqrt (INR (S T)) + regret_B + falls T.
    Proof.
      pose proof (by_momentum T) as Bm. pose proof (by_lag T) as Bl.
      assert (S1 : regret (S T) <= sum (S T) (fun k => dot n (moment_m (S k)) (x (S k)))
                                   + sum (S T) (fun k => dot n (fun i => g (S k) i - moment_m (S k) i) (x (S k)))).
      { rewrite <- sum_plus. apply sum_le; intros k _. destruct Pr as (Cv & _ & _ & _ & St & _). specialize (Cv k star St).
        assert (E : dot n (g (S k)) (fun i => star i - theta (S k) i)
                    = - (dot n (moment_m (S k)) (x (S k)) + dot n (fun i => g (S k) i - moment_m (S k) i) (x (S k)))).
        { unfold dot. rewrite <- sum_plus, <- (Rmult_1_l (sum n (fun i => moment_m _ _ * _ + _))), <- Ropp_mult_distr_l_reverse, <- sum_scal.
          apply sum_ext; intros; unfold x; ring. }
        rewrite E in Cv. lra. }
      unfold regret_A. fold Wm. lra.
    Qed.
  End Proof.

  (** How much H falls in all, weighted with the square of the largest distance of each coordinate. *)
  Definition total_fall (T : nat) : R := 
    sum n (fun i => far i * far i * sum (pred T) (fun k => Rmax 0 (H_now (S k) i - H_now (S (S k)) i))) / 2.

  Theorem regret_literal T : online_problem -> constants -> literal_step -> (0 < T)%nat ->
    regret T <= regret_A * sqrt (INR T) + regret_B + total_fall T.
  Proof.
    intros Pr Co St HT. destruct T as [|T]; [lia|]. apply (regret_bounded Pr Co H_now).
    - intros k i Hi. split; [lra|]. apply (H_is Pr Co k i Hi).
    - intros k i Hi. rewrite St, (step_is Pr Co k i Hi). reflexivity.
  Qed.

  (** (C3): H does not decrease. *)
  Theorem regret_monotone T : online_problem -> constants -> literal_step ->
    (forall k i, (i < n)%nat -> H_now (S k) i <= H_now (S (S k)) i) -> (0 < T)%nat ->
    regret T <= regret_A * sqrt (INR T) + regret_B.
  Proof.
    intros Pr Co St Mo HT. pose proof (regret_literal T Pr Co St HT) as K.
    assert (Z : total_fall T = 0); [|rewrite Z in K; lra].
    unfold total_fall. rewrite sum_all_zero; [field|]. intros i Hi. rewrite sum_all_zero; [ring|].
    intros k _. apply Rmax_left. pose proof (Mo k i Hi). lra.
  Qed.

  (** Enforced: H is replaced by its running maximum. *)
  Theorem regret_enforced T : online_problem -> constants -> enforced_step -> (0 < T)%nat ->
    regret T <= regret_A * sqrt (INR T) + regret_B.
  Proof.
    intros Pr Co St HT. destruct T as [|T]; [lia|]. assert (Mo : forall k i, H_largest (S k) i <= H_largest (S (S k)) i) by (intros; apply Rmax_l).
    set (falls := sum n (fun i => far i * far i * sum T (fun k => Rmax 0 (H_largest (S k) i - H_largest (S (S k)) i))) / 2).
    assert (Z : falls = 0).
    { unfold falls. rewrite sum_all_zero; [field|]. intros i _. rewrite sum_all_zero; [ring|].
      intros k _. apply Rmax_left. pose proof (Mo k i). lra. }
    assert (Be : forall k i, (i < n)%nat -> H_now (S k) i <= H_largest (S k) i
      <= Wmax eps1 kappa G * inverse_factor layerwise eps2 eps3 rho decay (size n layer (layer i)) * (sqrt (INR (S k)) / eta)).
    { intros k i Hi. split; [apply Rmax_r|]. destruct (H_is Pr Co k i Hi) as [H0 H1]. apply Rmax_lub; [|exact H1].
      clear H0 H1. induction k as [|k IH].
      - destruct (H_is Pr Co 0 i Hi). simpl in *. lra.
      - destruct (H_is Pr Co k i Hi) as [H0 H1].
        apply Rle_trans with (Wmax eps1 kappa G * inverse_factor layerwise eps2 eps3 rho decay (size n layer (layer i)) * (sqrt (INR (S k)) / eta)).
        + simpl H_largest. apply Rmax_lub; assumption.
        + assert (He : 0 < eta) by apply Co. pose proof (root_at_least_1 k).
          assert (R0 : 0 < sqrt (INR (S k)) / eta) by (apply Rmult_lt_0_compat; [lra|apply Rinv_0_lt_compat; exact He]).
          apply Rmult_le_compat_l.
          * apply Rmult_le_reg_r with (sqrt (INR (S k)) / eta); [exact R0|]. lra.
          * apply Rmult_le_compat_r; [apply inverse_nonneg; exact He|]. apply sqrt_le_1_alt. rewrite (S_INR (S k)). lra. }
    assert (K : regret (S T) <= regret_A * sqrt (INR (S T)) + regret_B + falls)
      by exact (regret_bounded Pr Co H_largest Be (fun k i _ => St k i) T). rewrite Z in K. lra.
  Qed.
End Online.

(** What E costs with a constant alpha <= 0 inside the region: kappa is 1 and the age b - alpha, so that -alpha adds to the
    age b of the base and changes nothing else. *)
Theorem exploration_costs n N layer layerwise alpha beta1 beta2 eps1 eps2 eps3 eta star G width D decay rho :
  0 <= beta1 < 1 -> 0 <= beta2 < 1 -> alpha <= 0 -> - alpha * (1 - beta1) <= 1 ->
  let b := beta2 / (1 - beta2) in
  let A age := regret_A n N layer layerwise eps1 eps2 eps3 eta star G width D decay 1 rho age in
  (forall k, Rabs (1 - c beta1 (fun _ => alpha) k) + Rabs (c beta1 (fun _ => alpha) k) <= 1)
  /\ (forall k, sum k (fun i => Rabs (age_weight alpha beta1 beta2 i)) <= b - alpha)
  /\ A (b - alpha) = A b + 2 * - alpha * G * sqrt (INR n) * eta * reach n N layerwise eps3 D decay rho
  /\ regret_B n G width (b - alpha) 0 = regret_B n G width b 0 + - alpha * G * INR n * width.
Proof.
  intros B1 B2 Ha Hc b A. split; [|split; [|split]].
  - intros k. unfold c. assert (0 <= - alpha * (1 - beta1)) by (apply Rmult_le_pos; lra).
    rewrite !Rabs_right by lra. lra.
  - apply total_age; assumption.
  - unfold A, regret_A. ring.
  - unfold regret_B. ring.
Qed.

(** The kappa of the largest |alpha_k| alone is too small where alpha_k changes its sign. *)
Lemma largest_alpha_is_not_enough : exists (alpha g : nat -> R) beta1 k, 0 <= beta1 < 1 /\ g 0%nat = 0
  /\ (forall j, Rabs (g j) <= 1) /\ (forall j, Rabs (alpha j) <= Rabs (alpha 1%nat))
  /\ Rabs (1 - c beta1 alpha 1) + Rabs (c beta1 alpha 1) < Rabs (u beta1 g alpha k).
Proof.
  exists (fun j => match j with 1%nat => -1 | _ => 99 / 100 end), (fun j => match j with O => 0 | 1%nat => -1 | _ => 1 end), (1 / 2), 2%nat.
  split; [lra|]. split; [reflexivity|]. split; [|split].
  - intros [|[|j]]; unfold Rabs; destruct Rcase_abs; lra.
  - intros [|[|j]]; unfold Rabs; repeat destruct Rcase_abs; lra.
  - unfold c, u. simpl. unfold Rabs; repeat destruct Rcase_abs; lra.
Qed.
