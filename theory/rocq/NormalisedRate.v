(** ALTO and LAMB by the length of their steps, in the mean over a finite tree of draws: any batch, any learning rate, and
    T^(-1/4) with the learning rate eta_1 T^(-3/4) and 1 - beta2 = T^(-1/2). *)
From Coq Require Import Reals Lra Lia List PeanoNat.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters Lemmas Methods Tree TheoremN Algorithms Tracking Normalised.
Import ListNotations.
Local Open Scope R_scope.

Lemma root_mono x y : 0 <= y -> x <= y * y -> sqrt x <= y.
Proof. intros Hy H. rewrite <- (sqrt_square y) by exact Hy. apply sqrt_le_1_alt, H. Qed.

(** *** The sums of the filter's weights, in kappa = |1 - c| + |c| *)
Section Orders.
  Variables (alpha beta1 beta2 : R).
  Hypotheses (B1 : 0 <= beta1 < 1) (B2 : 0 <= beta2 < 1).
  Let c := - alpha * (1 - beta1).
  Let b := beta2 / (1 - beta2).
  Let kappa := Rabs (1 - c) + Rabs c.
  Let t := age_weight alpha beta1 beta2.
  Let omega := weight alpha beta1 beta2.

  Lemma kappa_nonneg : 0 <= kappa.
  Proof. pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c). unfold kappa. lra. Qed.

  Lemma geometric k : sum k (fun i => beta1 ^ i) <= / (1 - beta1).
  Proof.
    assert (E : sum k (fun i => beta1 ^ i) * (1 - beta1) = 1 - beta1 ^ k)
      by (induction k as [|k IH]; [simpl; ring|rewrite sum_S, Rmult_plus_distr_r, IH; simpl; ring]).
    pose proof (pow_le beta1 k ltac:(lra)). apply Rmult_le_reg_r with (1 - beta1); [lra|]. rewrite Rinv_l by lra. lra.
  Qed.

  Theorem age_at_most k : sum k (fun i => Rabs (t i)) <= kappa * b + Rabs alpha.
  Proof.
    pose proof (kappa_m_at_most_kappa alpha beta1 beta2 B1 B2 k) as Km. fold c omega kappa in Km.
    assert (Hb : 0 <= b) by (apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]).
    apply Rle_trans with (b * sum k (fun i => Rabs (omega i)) + Rabs c * sum k (fun i => beta1 ^ i)).
    - rewrite <- !sum_scal, <- sum_plus. apply sum_le; intros i _. unfold t, age_weight. fold c b omega.
      eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult, (Rabs_right b), (Rabs_right (beta1 ^ i))
        by (lra || apply Rle_ge, pow_le; lra). lra.
    - apply Rplus_le_compat; [rewrite Rmult_comm; apply Rmult_le_compat_r; assumption|].
      apply Rle_trans with (Rabs c * / (1 - beta1)); [apply Rmult_le_compat_l; [apply Rabs_pos|apply geometric]|].
      unfold c. rewrite Rabs_mult, Rabs_Ropp, (Rabs_right (1 - beta1)) by lra. apply Req_le. field. lra.
  Qed.

  Lemma age_weight_S i : t (S i) = beta2 * t i + (1 - beta2) * (c * beta1 ^ S i).
  Proof. unfold t, age_weight. fold c b. simpl. fold c. unfold b. field. lra. Qed.

  Lemma age_weight_at_most i : Rabs (t i) <= kappa.
  Proof.
    assert (P : forall j, 0 <= beta1 ^ j <= 1) by (intros; split; [apply pow_le; lra|rewrite <- (pow1 j); apply pow_incr; lra]).
    assert (K : Rabs (t i) <= beta2 ^ S i * Rabs (1 - c) + Rabs c).
    { induction i as [|i IH].
      - replace (t 0%nat) with (beta2 * (1 - c) + c) by (unfold t, age_weight; fold c b; simpl; fold c; unfold b; field; lra).
        eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_mult, (Rabs_right beta2) by lra. simpl. lra.
      - rewrite age_weight_S. eapply Rle_trans; [apply Rabs_triang|].
        rewrite !Rabs_mult, (Rabs_right beta2), (Rabs_right (1 - beta2)), (Rabs_right (beta1 ^ S i))
          by (lra || apply Rle_ge, P).
        apply (Rmult_le_compat_l beta2) in IH; [|lra]. pose proof (P (S i)). pose proof (Rabs_pos c).
        assert ((1 - beta2) * (Rabs c * beta1 ^ S i) <= (1 - beta2) * (Rabs c * 1))
          by (apply Rmult_le_compat_l; [lra|apply Rmult_le_compat_l; lra]).
        change (beta2 ^ S (S i)) with (beta2 * beta2 ^ S i). lra. }
    eapply Rle_trans; [exact K|]. unfold kappa. apply Rplus_le_compat_r. rewrite <- (Rmult_1_l (Rabs (1 - c))) at 2.
    apply Rmult_le_compat_r; [apply Rabs_pos|]. rewrite <- (pow1 (S i)). apply pow_incr; lra.
  Qed.

  Lemma weight_at_most i : Rabs (omega i) <= (1 - beta2) * kappa.
  Proof.
    assert (K : exists s, 0 <= s /\ s + beta1 ^ i <= 1 /\ Rabs (omega i) <= (1 - beta2) * (Rabs (1 - c) + s * Rabs c)).
    { pose proof (Rabs_pos (1 - c)). pose proof (Rabs_pos c). induction i as [|i (s & S0 & S1 & IH)].
      - exists 0. split; [lra|split; [simpl; lra|]]. change (omega 0%nat) with ((1 - beta2) * (1 - c)).
        rewrite Rabs_mult, (Rabs_right (1 - beta2)) by lra. lra.
      - assert (P : 0 <= beta1 ^ i) by (apply pow_le; lra).
        exists (beta2 * s + (1 - beta1) * beta1 ^ i). split; [apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra|split].
        + simpl. assert (beta2 * s <= 1 * s) by (apply Rmult_le_compat_r; lra). lra.
        + change (omega (S i)) with (beta2 * omega i + (1 - beta2) * (c * ((1 - beta1) * beta1 ^ i))).
          eapply Rle_trans; [apply Rabs_triang|].
          rewrite !Rabs_mult, (Rabs_right beta2), (Rabs_right (1 - beta2)), (Rabs_right (1 - beta1)), (Rabs_right (beta1 ^ i)) by lra.
          apply (Rmult_le_compat_l beta2) in IH; [|lra].
          assert (beta2 * ((1 - beta2) * Rabs (1 - c)) <= 1 * ((1 - beta2) * Rabs (1 - c)))
            by (apply Rmult_le_compat_r; [apply Rmult_le_pos|]; lra). lra. }
    destruct K as (s & S0 & S1 & K). eapply Rle_trans; [exact K|]. apply Rmult_le_compat_l; [lra|]. unfold kappa.
    assert (0 <= beta1 ^ i) by (apply pow_le; lra). pose proof (Rabs_pos c).
    assert (s * Rabs c <= 1 * Rabs c) by (apply Rmult_le_compat_r; lra). lra.
  Qed.

  Lemma square_sum (x : nat -> R) B K k : (forall i, Rabs (x i) <= B) -> sum k (fun i => Rabs (x i)) <= K ->
    sum k (fun i => x i * x i) <= B * K.
  Proof.
    intros HB HK. assert (0 <= B) by (eapply Rle_trans; [apply Rabs_pos|apply (HB 0%nat)]).
    apply Rle_trans with (B * sum k (fun i => Rabs (x i))); [|apply Rmult_le_compat_l; assumption].
    rewrite <- sum_scal. apply sum_le; intros i _. replace (x i * x i) with (Rabs (x i) * Rabs (x i))
      by (rewrite <- Rabs_mult; apply Rabs_right, Rle_ge, square_nonneg).
    apply Rmult_le_compat_r; [apply Rabs_pos|apply HB].
  Qed.

  Theorem tau2_at_most k : sum k (fun i => t i * t i) <= kappa * (kappa * b + Rabs alpha).
  Proof. apply square_sum; [apply age_weight_at_most|apply age_at_most]. Qed.

  Theorem omega2_at_most k : sum k (fun i => omega i * omega i) <= (1 - beta2) * kappa * kappa.
  Proof. apply square_sum; [apply weight_at_most|exact (kappa_m_at_most_kappa alpha beta1 beta2 B1 B2 k)]. Qed.
End Orders.

Section Rate.
  Variables (n : nat) (layer : nat -> nat) (N : nat).
  Hypothesis layers : forall j, (j < n)%nat -> (layer j < N)%nat.
  Context {S : Type}.
  Variable G : list S -> vec -> S -> vec.
  Variables (library corrected : bool) (alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta : R) (start : vec).
  Variables (f : vec -> R) (D : vec -> vec) (L f_inf : R).
  Variables (outs : list S -> list S) (w : list S -> S -> R) (variance : R).
  Let update := step_by_length n layer library corrected beta2 beta3 eps1 eps2 eps3 gamma.
  Let z := run G alpha beta1 beta2 beta3 eta start update.
  Hypotheses (gamma_nonneg : 0 <= gamma) (E2 : 0 <= eps2) (E3 : 0 <= eps3).
  Hypothesis Pr : problem n beta1 beta2 eta f D L f_inf.
  Hypothesis Un : unbiased n G alpha beta1 beta2 beta3 eta start D outs w variance update.

  (** phi_l and W in the last step of a history; bounds of W in each layer, which may depend on the history. *)
  Definition phi_at (H : list S) (l : nat) : R :=
    match H with [] => 0 | _ :: K =>
      phi n layer library corrected beta2 beta3 eps1 eps3 gamma (length H) (theta (z K)) (m (z H)) (v (z H)) l end.
  Definition width_at (H : list S) : vec := width corrected beta2 beta3 eps1 (length H) (v (z H)).
  Variables (a b : list S -> nat -> R).
  Hypothesis ends : forall H l, 0 < a H l <= b H l.
  Hypothesis between : forall H s j, (j < n)%nat ->
    a (s :: H) (layer j) <= width_at (s :: H) j <= b (s :: H) (layer j).

  (** What the bound is of: sum over the layers of phi psi |D|. *)
  Definition weighted (H : list S) : R :=
    match H with [] => 0 | _ :: K =>
      sum N (fun l => phi_at H l * psi (a H l) (b H l) * norm_in n layer l (D (theta (z K)))) end.

  (** T steps; nothing is assumed of later ones. *)
  Variable T : nat.
  Variables (reach widest far Cd C0 Cs : R).
  Hypotheses (reach_nonneg : 0 <= reach) (widest_nonneg : 0 <= widest) (far_nonneg : 0 <= far).
  Hypothesis reach_is : forall H, (length H <= T)%nat -> sum N (fun l => phi_at H l * phi_at H l) <= reach * reach.
  Hypothesis widest_is : (eps2 = 0 /\ gamma = 0) \/ forall H s l, (length H < T)%nat -> b (s :: H) l <= widest.
  Hypothesis far_is : gamma = 0 \/ forall H, (length H < T)%nat -> norm n (theta (z H)) <= far.
  Hypotheses (Cd_nonneg : 0 <= Cd) (C0_nonneg : 0 <= C0) (Cs_nonneg : 0 <= Cs).
  Hypothesis tracked_is : tracked n G alpha beta1 beta2 beta3 eta start update D outs w variance Cd C0 Cs.

  Lemma phi_at_nonneg H l : 0 <= phi_at H l.
  Proof. destruct H; simpl; [lra|]. apply phi_nonneg. exact E3. Qed.

  Lemma weighted_norm H x : (length H <= T)%nat -> sum N (fun l => phi_at H l * norm_in n layer l x) <= reach * norm n x.
  Proof.
    intros HL. eapply Rle_trans; [apply Rle_abs|]. eapply Rle_trans; [exact (cauchy_schwarz N (phi_at H) (fun l => norm_in n layer l x))|].
    assert (norm N (fun l => norm_in n layer l x) = norm n x) as ->.
    { unfold norm. f_equal. apply (over_layers_sq n layer N layers). }
    apply Rmult_le_compat_r; [apply norm_nonneg|]. apply root_mono; [exact reach_nonneg|apply reach_is, HL].
  Qed.

  (** What eps2 and the decay cost per step, over eta. *)
  Let lost := reach * reach * eps2 * widest + 2 * reach * gamma * widest * far.

  Lemma one_step_falls H s : (length H < T)%nat ->
    f (theta (z (s :: H)))
    <= f (theta (z H)) + (- eta * weighted (s :: H)
       + (2 * eta * reach * norm n (error G alpha beta1 beta2 beta3 eta start update D (s :: H))
          + (eta * lost + L / 2 * (eta * eta) * (reach * reach)))).
  Proof.
    intros Len. assert (Len' : (length (s :: H) <= T)%nat) by (simpl; lia).
    destruct Pr as (_ & HL & Sm & _ & _ & _ & He).
    pose proof (alto_falls G n layer N library corrected alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta start f D L
      (a (s :: H)) (b (s :: H)) H s layers HL Sm (Rlt_le _ _ He) gamma_nonneg E2 E3) as F.
    cbv zeta in F. fold update z in F. specialize (F (ends (s :: H)) (between H s)).
    set (d := D (theta (z H))) in *. set (e := fun j => m (z (s :: H)) j - d j).
    change (error G alpha beta1 beta2 beta3 eta start update D (s :: H)) with e.
    assert (Rc : sum N (fun l => phi_at (s :: H) l * phi_at (s :: H) l) <= reach * reach) by (apply reach_is; exact Len').
    assert (Q : weighted (s :: H) - (2 * reach * norm n e + lost)
                <= sum N (falls_in n layer library corrected beta2 beta3 eps1 eps2 eps3 gamma D (Datatypes.S (length H))
                      (theta (z H)) (m (z (s :: H))) (v (z (s :: H))) (a (s :: H)) (b (s :: H)))).
    { set (x := width_at (s :: H)).
      apply Rle_trans with (sum N (fun l => phi_at (s :: H) l * psi (a (s :: H) l) (b (s :: H) l) * norm_in n layer l d
        - (2 * (phi_at (s :: H) l * norm_in n layer l e)
           + (2 * gamma * (phi_at (s :: H) l * norm_in n layer l (fun j => x j * theta (z H) j))
              + eps2 * (phi_at (s :: H) l * phi_at (s :: H) l) * b (s :: H) l)))).
      - rewrite sum_minus. change (sum N (fun l => phi_at (s :: H) l * psi (a (s :: H) l) (b (s :: H) l) * norm_in n layer l d))
          with (weighted (s :: H)). apply Rplus_le_compat_l, Ropp_le_contravar.
        rewrite !sum_plus, !sum_scal. pose proof (weighted_norm (s :: H) e Len') as We. unfold lost.
        assert (Ge : 2 * gamma * sum N (fun l => phi_at (s :: H) l * norm_in n layer l (fun j => x j * theta (z H) j))
                     <= 2 * reach * gamma * widest * far).
        { destruct far_is as [Z|Fr]; [rewrite Z; lra|].
          destruct widest_is as [[_ Z]|Wd]; [rewrite Z; lra|].
          replace (2 * reach * gamma * widest * far) with (2 * gamma * (widest * (reach * far))) by ring.
          apply Rmult_le_compat_l; [lra|].
          apply Rle_trans with (widest * sum N (fun l => phi_at (s :: H) l * norm_in n layer l (theta (z H)))).
          - rewrite <- sum_scal. apply sum_le; intros l _. rewrite <- (Rmult_assoc widest), (Rmult_comm widest), Rmult_assoc.
            apply Rmult_le_compat_l; [apply phi_at_nonneg|]. unfold norm_in.
            rewrite <- norm_scaled by exact widest_nonneg. unfold norm. apply sqrt_le_1_alt.
            unfold sq. apply sum_le; intros j Hj. unfold within. destruct (Nat.eqb_spec (layer j) l) as [<-|]; [|lra].
            destruct (ends (s :: H) (layer j)). destruct (between H s j Hj). fold x in H2, H3. pose proof (Wd H s (layer j) Len).
            replace (x j * theta (z H) j * (x j * theta (z H) j)) with (x j * x j * (theta (z H) j * theta (z H) j)) by ring.
            replace (widest * theta (z H) j * (widest * theta (z H) j)) with (widest * widest * (theta (z H) j * theta (z H) j)) by ring.
            apply Rmult_le_compat_r; [apply square_nonneg|]. apply Rmult_le_compat; lra.
          - apply Rmult_le_compat_l; [exact widest_nonneg|]. eapply Rle_trans; [apply weighted_norm; exact Len'|].
            apply Rmult_le_compat_l; [exact reach_nonneg|apply Fr, Len]. }
        assert (Ee : sum N (fun l => eps2 * (phi_at (s :: H) l * phi_at (s :: H) l) * b (s :: H) l) <= reach * reach * eps2 * widest).
        { destruct widest_is as [[Z _]|Wd].
          - rewrite (sum_ext N _ (fun _ => 0)), sum_zero by (intros; rewrite Z; ring). rewrite Z. lra.
          - apply Rle_trans with (eps2 * widest * sum N (fun l => phi_at (s :: H) l * phi_at (s :: H) l)).
            + rewrite <- sum_scal. apply sum_le; intros l _.
              replace (eps2 * widest * (phi_at (s :: H) l * phi_at (s :: H) l))
                with (eps2 * (phi_at (s :: H) l * phi_at (s :: H) l) * widest) by ring.
              apply Rmult_le_compat_l; [apply Rmult_le_pos; [exact E2|apply square_nonneg]|apply Wd, Len].
            + replace (reach * reach * eps2 * widest) with (eps2 * widest * (reach * reach)) by ring.
              apply Rmult_le_compat_l; [apply Rmult_le_pos; assumption|exact Rc]. }
        lra.
      - apply sum_le; intros l _. unfold falls_in, falls_by. fold d e.
        change (width corrected beta2 beta3 eps1 (Datatypes.S (length H)) (v (z (s :: H)))) with x.
        change (phi n layer library corrected beta2 beta3 eps1 eps3 gamma (Datatypes.S (length H)) (theta (z H)) (m (z (s :: H)))
          (v (z (s :: H))) l) with (phi_at (s :: H) l).
        pose proof (phi_at_nonneg (s :: H) l) as F0. destruct (ends (s :: H) l) as [A0 AB].
        destruct (psi_bounds (a (s :: H) l) (b (s :: H) l)) as [P0 P1]; [lra|lra|].
        set (p := psi (a (s :: H) l) (b (s :: H) l)) in *. set (h := phi_at (s :: H) l) in *.
        pose proof (norm_nonneg n (within layer l e)) as N1. fold (norm_in n layer l e) in N1.
        pose proof (norm_nonneg n (within layer l (fun j => x j * theta (z H) j))) as N2.
        fold (norm_in n layer l (fun j => x j * theta (z H) j)) in N2.
        set (y := norm_in n layer l e) in *. set (y2 := norm_in n layer l (fun j => x j * theta (z H) j)) in *.
        assert (Sh : shortening n layer library eps2 (theta (z H)) l <= eps2) by (unfold shortening; destruct (factor_one _ _ _ _ _); lra).
        pose proof (shortening_nonneg n layer library eps2 E2 (theta (z H)) l) as Sn.
        set (e2 := shortening n layer library eps2 (theta (z H)) l) in *.
        assert (X1 : h * ((1 + p) * (y + gamma * y2)) <= h * (2 * (y + gamma * y2))).
        { apply Rmult_le_compat_l; [exact F0|]. apply Rmult_le_compat_r; [|lra].
          assert (0 <= gamma * y2) by (apply Rmult_le_pos; assumption). lra. }
        assert (X2 : p * e2 * (h * h * b (s :: H) l) <= 1 * eps2 * (h * h * b (s :: H) l)).
        { apply Rmult_le_compat_r; [apply Rmult_le_pos; [apply square_nonneg|lra]|]. apply Rmult_le_compat; lra. }
        lra. }
    apply (Rmult_le_compat_l eta) in Q; [|lra]. apply (Rmult_le_compat_l (L / 2 * (eta * eta))) in Rc; [|nra].
    change (sum N (fun l => phi_at (s :: H) l * phi_at (s :: H) l)) with
      (sum N (fun l => phi n layer library corrected beta2 beta3 eps1 eps3 gamma (Datatypes.S (length H)) (theta (z H))
         (m (z (s :: H))) (v (z (s :: H))) l * phi n layer library corrected beta2 beta3 eps1 eps3 gamma
         (Datatypes.S (length H)) (theta (z H)) (m (z (s :: H))) (v (z (s :: H))) l)) in Rc.
    lra.
  Qed.

  Lemma drift_at_most H : (length H <= T)%nat ->
    sq n (drift G alpha beta1 beta2 beta3 eta start update D H) <= (L * eta * reach) * (L * eta * reach).
  Proof.
    intros Len. destruct Pr as (_ & HL & Sm & _ & _ & _ & He). destruct H as [|s H].
    - simpl. unfold sq. rewrite (sum_ext n _ (fun _ => 0)), sum_zero by (intros; ring). apply square_nonneg.
    - simpl drift. eapply Rle_trans; [apply (smooth_lipschitz n f D L Sm HL)|].
      replace (L * eta * reach * (L * eta * reach)) with (L * L * (eta * eta * (reach * reach))) by ring.
      apply Rmult_le_compat_l; [apply square_nonneg|].
      eapply Rle_trans; [apply (steps_have_length_phi n layer N layers library corrected beta2 beta3 eps1 eps2 eps3 gamma D eta
        E2 E3 (Datatypes.S (length H)) (theta (z H)) (m (z (s :: H))) (v (z (s :: H))))|].
      apply Rmult_le_compat_l; [apply square_nonneg|]. exact (reach_is (s :: H) Len).
  Qed.

  Let errors := sum T (fun k => expect outs w (Datatypes.S k) [] (fun H =>
    norm n (error G alpha beta1 beta2 beta3 eta start update D H))).
  Let tracking := sqrt Cd * L * eta * reach + sqrt (C0 * sq n (D start) / INR T) + sqrt (Cs * variance).

  Lemma variance_nonneg : 0 <= variance.
  Proof.
    destruct Un as [Pw U]. destruct (U []) as [_ V]. eapply Rle_trans; [|exact V].
    rewrite <- (next_const outs w Pw [] 0). apply (next_le outs w Pw). intros. apply sq_nonneg.
  Qed.

  (** Jensen's inequality twice, over the draws and over the steps, as 2 |x| <= x^2 / d + d. *)
  Lemma errors_at_most : (0 < T)%nat -> errors <= INR T * tracking.
  Proof.
    intros HT. destruct Pr as (_ & HL & _ & _ & _ & _ & He). pose proof (proj1 Un) as Pw. pose proof variance_nonneg as V0.
    assert (HTR : 0 < INR T) by (apply lt_0_INR; exact HT). set (y := tracking).
    assert (I0 : 0 <= C0 * sq n (D start) / INR T)
      by (apply Rmult_le_pos; [apply Rmult_le_pos; [exact C0_nonneg|apply sq_nonneg]|apply inverse_nonneg; exact HTR]).
    assert (V1 : 0 <= Cs * variance) by (apply Rmult_le_pos; assumption).
    set (p := sqrt Cd * L * eta * reach). set (q := sqrt (C0 * sq n (D start) / INR T)). set (r := sqrt (Cs * variance)).
    assert (p0 : 0 <= p) by (unfold p; pose proof (sqrt_pos Cd); repeat apply Rmult_le_pos; lra).
    assert (q0 : 0 <= q) by apply sqrt_pos. assert (r0 : 0 <= r) by apply sqrt_pos.
    set (S2 := sum T (fun k => expect outs w (Datatypes.S k) [] (fun H => sq n (error G alpha beta1 beta2 beta3 eta start update D H)))).
    assert (Sq : S2 <= INR T * (y * y)).
    { eapply Rle_trans; [apply tracked_is|].
      assert (Dr : sum T (fun k => expect outs w k [] (fun H => sq n (drift G alpha beta1 beta2 beta3 eta start update D H)))
                   <= INR T * (L * eta * reach * (L * eta * reach))).
      { rewrite <- sum_const. apply sum_le; intros k Hk. rewrite <- (expect_const outs w Pw k [] (_ * _)).
        apply (expect_le_at outs w Pw). intros H HL'. apply drift_at_most. lia. }
      apply (Rmult_le_compat_l Cd) in Dr; [|exact Cd_nonneg].
      assert (Ep : p * p = Cd * (L * eta * reach * (L * eta * reach)))
        by (unfold p; rewrite <- (sqrt_sqrt Cd) at 3 by exact Cd_nonneg; ring).
      assert (Eq : q * q = C0 * sq n (D start) / INR T) by (apply sqrt_sqrt; exact I0).
      assert (Er : r * r = Cs * variance) by (apply sqrt_sqrt; exact V1).
      assert (Ei : C0 * sq n (D start) = INR T * (q * q)) by (rewrite Eq; field; lra).
      assert (p * p + q * q + r * r <= y * y) by (change y with (p + q + r); nra).
      assert (INR T * (p * p + q * q + r * r) <= INR T * (y * y)) by (apply Rmult_le_compat_l; lra).
      replace (Cd * (INR T * (L * eta * reach * (L * eta * reach)))) with (INR T * (p * p)) in Dr by (rewrite Ep; ring).
      rewrite Ei. replace (Cs * INR T * variance) with (INR T * (r * r)) by (rewrite Er; ring). lra. }
    assert (Y0 : 0 <= y) by (change y with (p + q + r); lra).
    apply le_epsilon. intros eps Heps. set (d := y + eps / INR T).
    assert (Hd : 0 < eps / INR T) by (apply Rdiv_lt_0_compat; assumption). assert (D0 : 0 < d) by (unfold d; lra).
    apply Rle_trans with (/ (2 * d) * S2 + INR T * (d / 2)).
    - unfold errors, S2. rewrite <- sum_const, <- sum_scal, <- sum_plus. apply sum_le; intros k _.
      rewrite <- (expect_const outs w Pw (Datatypes.S k) [] (d / 2)), <- (expect_scal outs w), <- (expect_plus outs w).
      apply (expect_le outs w Pw). intros H. rewrite <- norm_square.
      set (x := norm n _). apply Rmult_le_reg_l with (2 * d); [lra|].
      replace (2 * d * (/ (2 * d) * (x * x) + d / 2)) with (x * x + d * d) by (field; lra).
      pose proof (square_nonneg (x - d)). lra.
    - assert (/ (2 * d) * S2 <= / (2 * d) * (INR T * (d * d))).
      { apply Rmult_le_compat_l; [apply inverse_nonneg; lra|]. eapply Rle_trans; [exact Sq|].
        apply Rmult_le_compat_l; [lra|]. unfold d. nra. }
      replace (/ (2 * d) * (INR T * (d * d))) with (INR T * (d / 2)) in H by (field; lra).
      replace (INR T * y + eps) with (INR T * d) by (unfold d; field; lra). lra.
  Qed.

  (** The mean over T steps of E sum_l phi_l psi_l |D_l|. *)
  Definition mean_weighted_gradient : R :=
    sum T (fun k => expect outs w (Datatypes.S k) [] weighted) / INR T.

  Theorem normalised_step_in_mean : (0 < T)%nat ->
    mean_weighted_gradient
    <= (f start - f_inf) / (eta * INR T)
       + 2 * reach * (sqrt Cd * L * eta * reach + sqrt (C0 * sq n (D start) / INR T) + sqrt (Cs * variance))
       + L * eta * (reach * reach) / 2 + (reach * reach * eps2 * widest + 2 * reach * gamma * widest * far).
  Proof.
    intros HT. destruct Pr as (_ & HL & _ & Inf & _ & _ & He). pose proof (proj1 Un) as Pw.
    assert (HTR : 0 < INR T) by (apply lt_0_INR; exact HT).
    set (X := fun k => expect outs w (Datatypes.S k) [] weighted).
    set (Y := fun k => expect outs w (Datatypes.S k) [] (fun H => norm n (error G alpha beta1 beta2 beta3 eta start update D H))).
    set (C := eta * lost + L / 2 * (eta * eta) * (reach * reach)).
    set (A := fun k => expect outs w k [] (fun H => f (theta (z H)))).
    assert (One : forall k, (k < T)%nat -> A (Datatypes.S k) - A k <= - eta * X k + (2 * eta * reach * Y k + C)).
    { intros k Hk. unfold A, X, Y. rewrite !expect_last.
      assert (Q : expect outs w k [] (fun K => next outs w K (fun s => f (theta (z (s :: K)))))
        <= expect outs w k [] (fun K => f (theta (z K)) + (- eta * next outs w K (fun s => weighted (s :: K))
           + (2 * eta * reach * next outs w K (fun s => norm n (error G alpha beta1 beta2 beta3 eta start update D (s :: K))) + C)))).
      { apply (expect_le_at outs w Pw). intros K HK. eapply Rle_trans; [apply (next_le outs w Pw); intros s; apply one_step_falls; lia|].
        rewrite (next_plus outs w), (next_const outs w Pw), !(next_plus outs w), !(next_scal outs w).
        fold lost. change (eta * lost + L / 2 * (eta * eta) * (reach * reach)) with C. rewrite !(next_const outs w Pw).
        unfold C. lra. }
      rewrite !(expect_plus outs w), !(expect_scal outs w), (expect_const outs w Pw) in Q. lra. }
    assert (Tel : A T - A 0%nat <= - eta * sum T X + (2 * eta * reach * sum T Y + INR T * C)).
    { rewrite <- (sum_telescope T A), <- sum_const, <- !sum_scal, <- !sum_plus. apply sum_le; intros k Hk. apply One, Hk. }
    assert (Low : f_inf <= A T).
    { rewrite <- (expect_const outs w Pw T [] f_inf). apply (expect_le outs w Pw). intros; apply Inf. }
    pose proof (errors_at_most HT) as Er. change errors with (sum T Y) in Er.
    apply (Rmult_le_compat_l (2 * eta * reach)) in Er; [|repeat apply Rmult_le_pos; lra].
    change (A 0%nat) with (f start) in Tel. unfold mean_weighted_gradient. fold X.
    apply Rmult_le_reg_l with (eta * INR T); [apply Rmult_lt_0_compat; lra|].
    replace (eta * INR T * (sum T X / INR T)) with (eta * sum T X) by (field; lra).
    fold tracking. fold lost.
    replace (eta * INR T * ((f start - f_inf) / (eta * INR T) + 2 * reach * tracking + L * eta * (reach * reach) / 2 + lost))
      with (f start - f_inf + (2 * eta * reach * (INR T * tracking) + INR T * C)) by (unfold C; field; lra).
    lra.
  Qed.
End Rate.

(** With the learning rate and beta2 that balance the terms: T^(-1/4), t being the fourth root of T. *)
Theorem normalised_step_rate {S : Type} n layer N (G : list S -> vec -> S -> vec) library corrected
    alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta start f D L f_inf outs w variance (a b : list S -> nat -> R)
    reach widest far eta1 T :
  let t := sqrt (sqrt (INR T)) in
  let c := - alpha * (1 - beta1) in
  let kappa := Rabs (1 - c) + Rabs c in
  let age := kappa + Rabs alpha / (t * t) in
  let update := step_by_length n layer library corrected beta2 beta3 eps1 eps2 eps3 gamma in
  (0 < T)%nat -> 0 < eta1 -> eta = eta1 / (t * t * t) -> beta2 = 1 - / (t * t) ->
  (forall j, (j < n)%nat -> (layer j < N)%nat) -> 0 <= gamma -> 0 <= eps2 -> 0 <= eps3 ->
  problem n beta1 beta2 eta f D L f_inf ->
  unbiased n G alpha beta1 beta2 beta3 eta start D outs w variance update ->
  (forall H l, 0 < a H l <= b H l) ->
  (forall H s j, (j < n)%nat -> let W := width_at n layer G library corrected alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta
    start (s :: H) in a (s :: H) (layer j) <= W j <= b (s :: H) (layer j)) ->
  0 <= reach -> 0 <= widest ->
  (forall H, (length H <= T)%nat -> let size := phi_at n layer G library corrected alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta start H in
    sum N (fun l => size l * size l) <= reach * reach) ->
  (eps2 = 0 /\ gamma = 0) \/ (forall H s l, (length H < T)%nat -> b (s :: H) l <= widest) ->
  gamma = 0 \/ (forall H, (length H < T)%nat -> norm n (theta (run G alpha beta1 beta2 beta3 eta start update H)) <= far) ->
  mean_weighted_gradient n layer N G library corrected alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta start D outs w a b T
  <= / t * ((f start - f_inf) / eta1
            + 2 * reach * (sqrt 2 * (age * L * eta1 * reach + sqrt (kappa * age * sq n (D start)) + kappa * sqrt variance))
            + L * eta1 * (reach * reach) / 2 / (t * t))
     + (reach * reach * eps2 * widest + 2 * reach * gamma * widest * far).
Proof.
  intros t c kappa age update HT He1 Eeta Eb2 Hl Hg H2 H3 Pr Un Ends Btw Hr Hw Rc Wd Fr.
  pose proof Pr as (_ & HL & _ & _ & B1 & B2 & He).
  assert (HT1 : 1 <= INR T) by (change 1 with (INR 1); apply le_INR; lia).
  assert (R1 : 1 <= sqrt (INR T)) by (rewrite <- sqrt_1; apply sqrt_le_1_alt; exact HT1).
  assert (t1 : 1 <= t) by (unfold t; rewrite <- sqrt_1 at 1; apply sqrt_le_1_alt; exact R1).
  assert (tt : t * t = sqrt (INR T)) by (apply sqrt_sqrt; lra).
  assert (t4 : INR T = t * t * (t * t)) by (rewrite tt; symmetry; apply sqrt_sqrt; lra).
  assert (T2 : 1 <= t * t) by lra.
  pose proof (kappa_nonneg alpha beta1) as K0. change (0 <= kappa) in K0. pose proof (Rabs_pos alpha) as A0.
  assert (Hb : beta2 / (1 - beta2) = t * t - 1) by (rewrite Eb2; field; split; [intro Z; apply Rinv_neq_0_compat with (t * t); lra|lra]).
  assert (Ag : t * t * age = kappa * (t * t) + Rabs alpha) by (unfold age; field; lra).
  assert (Kb : kappa * (t * t - 1) + Rabs alpha <= t * t * age) by lra.
  assert (age0 : 0 <= age) by (unfold age; apply Rplus_le_le_0_compat; [exact K0|]; apply Rmult_le_pos; [exact A0|apply inverse_nonneg; lra]).
  set (K := t * t * age). set (tau2 := kappa * K). set (omega2 := / (t * t) * kappa * kappa).
  assert (Tr : tracked n G alpha beta1 beta2 beta3 eta start update D outs w variance (2 * (K * K)) (2 * tau2) (2 * omega2)).
  { apply tracking_by_filter; [exact B2|exact Un| | |]; intros k.
    - pose proof (age_at_most alpha beta1 beta2 B1 B2 k) as Q. fold c kappa in Q. rewrite Hb in Q. unfold K. lra.
    - pose proof (tau2_at_most alpha beta1 beta2 B1 B2 k) as Q. fold c kappa in Q. rewrite Hb in Q. unfold tau2, K.
      eapply Rle_trans; [exact Q|]. apply Rmult_le_compat_l; lra.
    - pose proof (omega2_at_most alpha beta1 beta2 B1 B2 k) as Q. fold c kappa in Q. unfold omega2.
      replace (/ (t * t)) with (1 - beta2) by (rewrite Eb2; ring). exact Q. }
  assert (Kp : 0 <= K) by (unfold K; apply Rmult_le_pos; lra).
  assert (tp : 0 <= tau2) by (apply Rmult_le_pos; assumption).
  assert (op : 0 <= omega2) by (unfold omega2; apply Rmult_le_pos; [apply Rmult_le_pos; [apply inverse_nonneg; lra|]|]; lra).
  assert (K2 : 0 <= K * K) by apply square_nonneg.
  pose proof (normalised_step_in_mean n layer N Hl G library corrected alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta start
    f D L f_inf outs w variance Hg H2 H3 Pr Un a b Ends Btw T reach widest far (2 * (K * K)) (2 * tau2) (2 * omega2) Hr Hw Rc Wd Fr
    ltac:(lra) ltac:(lra) ltac:(lra) Tr HT) as M.
  eapply Rle_trans; [exact M|]. apply Rplus_le_compat_r.
  assert (S1 : sqrt (2 * (K * K)) = sqrt 2 * K) by (rewrite sqrt_mult_alt, sqrt_square by lra; reflexivity).
  set (d1 := sq n (D start)) in *.
  assert (S2 : sqrt (2 * tau2 * d1 / INR T) = sqrt 2 * (/ t * sqrt (kappa * age * d1))).
  { replace (2 * tau2 * d1 / INR T) with (2 * (/ t * / t * (kappa * age * d1))) by (rewrite t4; unfold tau2, K; field; lra).
    rewrite sqrt_mult_alt by lra. f_equal. assert (0 <= / t) by (apply inverse_nonneg; lra).
    rewrite sqrt_mult_alt, sqrt_square by (try apply square_nonneg; assumption). reflexivity. }
  assert (S3 : sqrt (2 * omega2 * variance) = sqrt 2 * (/ t * (kappa * sqrt variance))).
  { assert (0 <= / t) by (apply inverse_nonneg; lra).
    replace (2 * omega2 * variance) with (2 * ((/ t * kappa) * (/ t * kappa) * variance)) by (unfold omega2; field; lra).
    rewrite sqrt_mult_alt by lra. f_equal.
    rewrite sqrt_mult_alt, sqrt_square by (try apply square_nonneg; apply Rmult_le_pos; assumption). ring. }
  rewrite S1, S2, S3, t4, Eeta. apply Req_le. unfold K. field. lra.
Qed.

(** With bounded gradients the alignment has a bound that no path enters. *)
Theorem alignment_at_least {S : Type} (G : list S -> vec -> S -> vec) n layer library corrected
    alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta start bound H s i :
  let c := - alpha * (1 - beta1) in
  let kappa := Rabs (1 - c) + Rabs c in
  let low := bias corrected beta2 (Datatypes.S (length H)) * eps1 in
  let high := bias corrected beta2 (Datatypes.S (length H)) * (kappa * bound + eps1) in
  0 <= beta1 < 1 -> 0 <= beta2 < 1 -> 0 <= beta3 < 1 -> 0 < eps1 -> 0 <= bound ->
  (forall H x s i, Rabs (G H x s i) <= bound) ->
  low <= width_at n layer G library corrected alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta start (s :: H) i <= high
  /\ 0 < low <= high /\ high <= kappa * bound + eps1 /\ psi low high = psi eps1 (kappa * bound + eps1).
Proof.
  intros c kappa low high B1 B2 B3 E1 Hb Bd. unfold width_at, width, W. set (update := step_by_length _ _ _ _ _ _ _ _ _ _).
  destruct (along G alpha beta1 beta2 beta3 eta start update (s :: H) i) as (_ & _ & ->).
  pose proof (root_hat_bounded corrected beta3 B3 (fun _ => alpha) beta1 kappa bound
    (past G alpha beta1 beta2 beta3 eta start update (s :: H) i) (past_0 _ _ _ _ _ _ _ _ _ _) B1 ltac:(intros; apply Rle_refl)
    (past_bounded G alpha beta1 beta2 beta3 eta start update (s :: H) i bound Hb Bd) (length H)) as Rt.
  pose proof (bias_bounds corrected beta2 (length H) B2) as Bb. simpl length.
  set (q := bias corrected beta2 (Datatypes.S (length H))) in *. set (x := sqrt _) in *.
  assert (x0 : 0 <= x) by apply sqrt_pos. assert (k0 : 0 <= kappa * bound) by lra.
  split; [|split; [|split]].
  - unfold low, high. split; apply Rmult_le_compat_l; lra.
  - unfold low, high. split; [apply Rmult_lt_0_compat; lra|apply Rmult_le_compat_l; lra].
  - unfold high. rewrite <- Rmult_1_l. apply Rmult_le_compat_r; lra.
  - unfold low, high. apply psi_scaled; lra.
Qed.
