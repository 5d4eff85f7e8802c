(** ESGD with high probability: the bound for any batch holds on all but a share exp(-x) of the paths, where the noise is
    bounded. The error at the virtual iterate makes exp of a sum along the path a supermartingale. *)
From Coq Require Import Reals Lra Lia List.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters Tree Algorithms Tracking Virtual.
Import ListNotations.
Local Open Scope R_scope.

(** *** The exponential. Its monotonicity in the standard library rests on the law of the excluded middle. *)
Lemma exp_quadratic b c t : derivable_pt_lim (fun t => exp (0 + b * t + c * (t * t))) t
  (exp (0 + b * t + c * (t * t)) * (b + 2 * c * t)).
Proof.
  apply (derivable_pt_lim_comp (fun t => 0 + b * t + c * (t * t)) exp); [apply quadratic_derivative|apply derivable_pt_lim_exp].
Qed.

Lemma exp_at_least_1 x : 0 <= x -> 1 <= exp x.
Proof.
  intros Hx. pose proof (does_not_grow (fun t => - exp (0 + x * t + 0 * (t * t)))
    (fun t => - (exp (0 + x * t + 0 * (t * t)) * (x + 2 * 0 * t)))) as G.
  cbv beta in G. replace (0 + x * 1 + 0 * (1 * 1)) with x in G by ring. replace (0 + x * 0 + 0 * (0 * 0)) with 0 in G by ring.
  rewrite exp_0 in G. enough (- exp x <= - (1)) by lra. apply G. intros t T. split.
  - apply (derivable_pt_lim_opp (fun t => exp (0 + x * t + 0 * (t * t)))). apply exp_quadratic.
  - pose proof (exp_pos (0 + x * t + 0 * (t * t))). nra.
Qed.

Lemma exp_le x y : x <= y -> exp x <= exp y.
Proof.
  intros Hx. replace y with (x + (y - x)) by ring. rewrite exp_plus. pose proof (exp_pos x).
  pose proof (exp_at_least_1 (y - x) ltac:(lra)). nra.
Qed.

Lemma exp_tangent x : 1 + x <= exp x.
Proof.
  pose proof (does_not_grow (fun t => (0 + x * t + 0 * (t * t)) - exp (0 + x * t + 0 * (t * t)))
    (fun t => (x + 2 * 0 * t) - exp (0 + x * t + 0 * (t * t)) * (x + 2 * 0 * t))) as G.
  cbv beta in G. replace (0 + x * 1 + 0 * (1 * 1)) with x in G by ring. replace (0 + x * 0 + 0 * (0 * 0)) with 0 in G by ring.
  rewrite exp_0 in G. enough (x - exp x <= 0 - 1) by lra. apply G. intros t T. split.
  - apply (derivable_pt_lim_minus (fun t => 0 + x * t + 0 * (t * t))); [apply quadratic_derivative|apply exp_quadratic].
  - replace (0 + x * t + 0 * (t * t)) with (x * t) by ring. destruct (Rle_dec 0 x) as [P|N].
    + pose proof (exp_at_least_1 (x * t) ltac:(nra)). nra.
    + pose proof (exp_le (x * t) 0 ltac:(nra)) as E. rewrite exp_0 in E. nra.
Qed.

(** exp lies below its chord over [-a, a]. *)
Lemma chord a z : 0 < a -> - a <= z <= a -> exp z <= (exp a + exp (- a)) / 2 + z * ((exp a - exp (- a)) / (2 * a)).
Proof.
  intros Ha Hz. pose proof (exp_pos z) as P.
  assert (U : exp z * (1 + (a - z)) <= exp a).
  { replace a with (z + (a - z)) at 2 by ring. rewrite exp_plus. apply Rmult_le_compat_l; [lra|apply exp_tangent]. }
  assert (V : exp z * (1 + (- a - z)) <= exp (- a)).
  { replace (- a) with (z + (- a - z)) at 2 by ring. rewrite exp_plus. apply Rmult_le_compat_l; [lra|apply exp_tangent]. }
  apply Rmult_le_reg_l with (2 * a); [lra|].
  replace (2 * a * ((exp a + exp (- a)) / 2 + z * ((exp a - exp (- a)) / (2 * a))))
    with ((a + z) * exp a + (a - z) * exp (- a)) by (field; lra).
  apply (Rmult_le_compat_l (a + z)) in U; [|lra]. apply (Rmult_le_compat_l (a - z)) in V; [|lra]. lra.
Qed.

(** sinh s <= s cosh s, and from it cosh a <= exp (a^2 / 2). *)
Lemma sinh_below s : 0 <= s -> (1 - s) * exp s <= (1 + s) * exp (- s).
Proof.
  intros Hs. set (e := fun t => exp (0 + s * t + 0 * (t * t))). set (e' := fun t => exp (0 + - s * t + 0 * (t * t))).
  set (p := fun t => 1 + - s * t + 0 * (t * t)). set (q := fun t => 1 + s * t + 0 * (t * t)).
  pose proof (does_not_grow (fun t => p t * e t - q t * e' t)
    (fun t => ((- s + 2 * 0 * t) * e t + p t * (e t * (s + 2 * 0 * t)))
              - ((s + 2 * 0 * t) * e' t + q t * (e' t * (- s + 2 * 0 * t))))) as G.
  enough (K : p 1 * e 1 - q 1 * e' 1 <= p 0 * e 0 - q 0 * e' 0).
  { unfold p, q, e, e' in K. replace (0 + s * 1 + 0 * (1 * 1)) with s in K by ring.
    replace (0 + - s * 1 + 0 * (1 * 1)) with (- s) in K by ring. replace (0 + s * 0 + 0 * (0 * 0)) with 0 in K by ring.
    replace (0 + - s * 0 + 0 * (0 * 0)) with 0 in K by ring. lra. }
  apply G. intros t T. split.
  - apply (derivable_pt_lim_minus (fun t => p t * e t)).
    + apply (derivable_pt_lim_mult p e); [apply quadratic_derivative|apply exp_quadratic].
    + apply (derivable_pt_lim_mult q e'); [apply quadratic_derivative|apply exp_quadratic].
  - assert (E : e' t <= e t) by (apply exp_le; nra). pose proof (exp_pos (0 + - s * t + 0 * (t * t))) as P.
    fold (e' t) in P. unfold p, q. assert (0 <= t * (s * s) * (e t - e' t)) by (apply Rmult_le_pos; nra). nra.
Qed.

Lemma cosh_below a : 0 <= a -> (exp a + exp (- a)) / 2 <= exp (a * a / 2).
Proof.
  intros Ha. set (e := fun t => exp (0 + a * t + - (a * a / 2) * (t * t))).
  set (e' := fun t => exp (0 + - a * t + - (a * a / 2) * (t * t))).
  pose proof (does_not_grow (fun t => e t + e' t)
    (fun t => e t * (a + 2 * - (a * a / 2) * t) + e' t * (- a + 2 * - (a * a / 2) * t))) as G.
  enough (K : e 1 + e' 1 <= e 0 + e' 0).
  { unfold e, e' in K. replace (0 + a * 0 + - (a * a / 2) * (0 * 0)) with 0 in K by ring.
    replace (0 + - a * 0 + - (a * a / 2) * (0 * 0)) with 0 in K by ring.
    replace (0 + a * 1 + - (a * a / 2) * (1 * 1)) with (a + - (a * a / 2)) in K by ring.
    replace (0 + - a * 1 + - (a * a / 2) * (1 * 1)) with (- a + - (a * a / 2)) in K by ring.
    rewrite !exp_plus, exp_0 in K.
    assert (One : exp (a * a / 2) * exp (- (a * a / 2)) = 1)
      by (rewrite <- exp_plus; replace (a * a / 2 + - (a * a / 2)) with 0 by ring; apply exp_0).
    apply (Rmult_le_compat_l (exp (a * a / 2))) in K; [|left; apply exp_pos].
    replace (exp (a * a / 2) * (exp a * exp (- (a * a / 2)) + exp (- a) * exp (- (a * a / 2))))
      with ((exp a + exp (- a)) * (exp (a * a / 2) * exp (- (a * a / 2)))) in K by ring. rewrite One in K. lra. }
  apply G. intros t T. split.
  - apply (derivable_pt_lim_plus e e'); apply exp_quadratic.
  - unfold e, e'.
    replace (0 + a * t + - (a * a / 2) * (t * t)) with (a * t + - (a * a / 2) * (t * t)) by ring.
    replace (0 + - a * t + - (a * a / 2) * (t * t)) with (- (a * t) + - (a * a / 2) * (t * t)) by ring.
    rewrite !exp_plus. pose proof (sinh_below (a * t) ltac:(nra)) as Sb.
    pose proof (exp_pos (- (a * a / 2) * (t * t))) as P. set (r := exp (- (a * a / 2) * (t * t))) in *.
    assert (0 <= r * a * ((1 + a * t) * exp (- (a * t)) - (1 - a * t) * exp (a * t)))
      by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|lra]). nra.
Qed.

(** *** Probability on the tree *)
Section Chance.
  Context {S : Type}.
  Variables (outs : list S -> list S) (w : list S -> S -> R).
  Hypothesis proper : probabilities outs w.

  (** Hoeffding's lemma: a draw within [-a, a] with mean 0. *)
  Lemma hoeffding H (X : S -> R) a : 0 <= a -> next outs w H X = 0 -> (forall s, Rabs (X s) <= a) ->
    next outs w H (fun s => exp (X s)) <= exp (a * a / 2).
  Proof.
    intros Ha Zero Bd. destruct (Req_dec a 0) as [->|Ne].
    - rewrite <- (next_const outs w proper H (exp (0 * 0 / 2))). apply (next_le outs w proper). intros s. apply exp_le.
      pose proof (Rle_abs (X s)). specialize (Bd s). lra.
    - eapply Rle_trans; [|apply cosh_below; exact Ha].
      apply Rle_trans with (next outs w H (fun s => (exp a + exp (- a)) / 2 + (exp a - exp (- a)) / (2 * a) * X s)).
      + apply (next_le outs w proper). intros s. rewrite (Rmult_comm (_ / _)). apply chord; [lra|].
        pose proof (Bd s) as B. pose proof (Rle_abs (X s)). pose proof (Rle_abs (- X s)) as N. rewrite Rabs_Ropp in N. lra.
      + rewrite (next_plus outs w), (next_const outs w proper), (next_scal outs w), Zero. lra.
  Qed.

  (** The probability that X exceeds a level after k draws. *)
  Definition chance (k : nat) (X : list S -> R) (level : R) : R :=
    expect outs w k [] (fun H => if Rlt_dec level (X H) then 1 else 0).

  (** Markov's inequality for exp of a supermartingale. *)
  Lemma exceeds_rarely k (V : list S -> R) x :
    (forall H, next outs w H (fun s => exp (V (s :: H))) <= exp (V H)) -> chance k V x <= exp (V []) * exp (- x).
  Proof.
    intros Super. apply Rle_trans with (expect outs w k [] (fun H => exp (- x) * exp (V H))).
    - apply (expect_le outs w proper). intros H. rewrite <- exp_plus. pose proof (exp_pos (- x + V H)).
      destruct (Rlt_dec x (V H)); [apply exp_at_least_1|]; lra.
    - rewrite (expect_scal outs w), Rmult_comm. apply Rmult_le_compat_r; [left; apply exp_pos|].
      induction k as [|k IH]; [apply Rle_refl|]. rewrite expect_last. eapply Rle_trans; [|exact IH].
      apply (expect_le outs w proper). exact Super.
  Qed.
End Chance.

(** The sum of X over the points at which a path took its gradients. *)
Fixpoint over_path {S : Type} (X : list S -> R) (H : list S) : R :=
  match H with [] => 0 | _ :: K => over_path X K + X K end.

Section Bound.
  Variable n : nat.
  Context {S : Type}.
  Variable G : list S -> vec -> S -> vec.
  Variables (alpha beta1 beta2 beta3 eta : R) (start : vec).
  Variables (f : vec -> R) (D : vec -> vec) (L f_inf : R).
  Variables (outs : list S -> list S) (w : list S -> S -> R) (sigma K : R).
  Let z := run G alpha beta1 beta2 beta3 eta start esgd_update.
  Let g := grad G alpha beta1 beta2 beta3 eta start esgd_update.
  Let past := past G alpha beta1 beta2 beta3 eta start esgd_update.
  Let delay := delay G alpha beta1 beta2 beta3 eta start.
  Let virtual := virtual G alpha beta1 beta2 beta3 eta start.
  Let t := age_weight alpha beta1 beta2.
  Let slope (H : list S) : vec := D (theta (z H)).
  Let xi (H : list S) (s : S) : vec := fun i => G H (theta (z H)) s i - slope H i.

  (** The mean over a path of |grad f(theta_k)|^2. *)
  Definition path_mean (H : list S) : R :=
    over_path (fun H => sq n (D (theta (run G alpha beta1 beta2 beta3 eta start esgd_update H)))) H / INR (length H).

  (** The gradient estimate is within sigma of the gradient at every point of every path. *)
  Definition bounded_noise : Prop := forall H s,
    let z := run G alpha beta1 beta2 beta3 eta start esgd_update in
    sq n (fun i => G H (theta (z H)) s i - D (theta (z H)) i) <= sigma * sigma.

  Hypothesis Pr : problem n beta1 beta2 eta f D L f_inf.
  Hypothesis Un : unbiased n G alpha beta1 beta2 beta3 eta start D outs w (sigma * sigma) esgd_update.
  Hypothesis Bn : bounded_noise.
  Hypothesis Sg : 0 < sigma.
  Hypothesis K_is : forall k, sum k (fun j => Rabs (t j)) <= K.

  (** *** The delay along a path *)
  Let q (H : list S) (j : nat) : R := sq n (fun i => past H i j).

  Lemma delay_path H : sq n (delay H) <= K * sum (length H) (fun j => Rabs (t j) * q H (length H - j)%nat).
  Proof.
    set (k := length H). apply Rle_trans with (sum n (fun i => K * sum k (fun j => Rabs (t j) * (past H i (k - j)%nat * past H i (k - j)%nat)))).
    - apply sum_le; intros i _. unfold delay. rewrite delay_is. fold k t past. eapply Rle_trans; [apply weighted_square|].
      apply Rmult_le_compat_r; [|apply K_is]. apply sum_nonneg; intros. apply Rmult_le_pos; [apply Rabs_pos|apply square_nonneg].
    - rewrite sum_scal. apply Rmult_le_compat_l; [exact (K_is 0)|]. rewrite sum_exchange. apply Req_le, sum_ext; intros j _.
      rewrite sum_scal. reflexivity.
  Qed.

  Lemma q_longer s H j : (j <= length H)%nat -> q (s :: H) j = q H j.
  Proof. intros Hj. apply sq_ext; intros i _. unfold past. rewrite past_longer by exact Hj. reflexivity. Qed.

  Lemma delays_path H : over_path (fun H => sq n (delay H)) H
    <= 2 * (K * K) * (over_path (fun H => sq n (slope H)) H + INR (length H) * (sigma * sigma)).
  Proof.
    pose proof (K_is 0) as K0. change (0 <= K) in K0.
    assert (A : over_path (fun H => sq n (delay H)) H
                <= K * sum (length H) (fun k => sum k (fun j => Rabs (t j) * q H (k - j)%nat))).
    { induction H as [|s H IH]; [simpl; lra|]. simpl over_path. simpl length. rewrite sum_S, Rmult_plus_distr_l.
      pose proof (delay_path H) as Dp. rewrite (sum_ext (length H) _ (fun k => sum k (fun j => Rabs (t j) * q H (k - j)%nat))).
      - rewrite (sum_ext (length H) (fun j => Rabs (t j) * q (s :: H) (length H - j)%nat)
          (fun j => Rabs (t j) * q H (length H - j)%nat)) by (intros; rewrite q_longer by lia; reflexivity). lra.
      - intros k Hk. apply sum_ext; intros j Hj. rewrite q_longer by lia. reflexivity. }
    assert (B : sum (length H) (fun j => q H (Datatypes.S j))
                <= 2 * (over_path (fun H => sq n (slope H)) H + INR (length H) * (sigma * sigma))).
    { clear A. induction H as [|s H IH]; [simpl; lra|]. simpl over_path. simpl length. rewrite sum_S, S_INR.
      rewrite (sum_ext (length H) _ (fun j => q H (Datatypes.S j))) by (intros; apply q_longer; lia).
      assert (Q : q (s :: H) (Datatypes.S (length H)) <= 2 * sq n (slope H) + 2 * (sigma * sigma)).
      { apply Rle_trans with (2 * sq n (slope H) + 2 * sq n (xi H s)); [|pose proof (Bn H s) as Bs; cbv zeta in Bs; fold z in Bs;
          change (fun i => G H (theta (z H)) s i - D (theta (z H)) i) with (xi H s) in Bs; lra].
        unfold q, sq. rewrite <- !sum_scal, <- sum_plus. apply sum_le; intros i _. change (Datatypes.S (length H)) with (length (s :: H)).
        unfold past. rewrite past_now. change (last (run G alpha beta1 beta2 beta3 eta start esgd_update (s :: H)) i)
          with (G H (theta (z H)) s i). unfold xi. pose proof (square_nonneg (G H (theta (z H)) s i - 2 * slope H i)). nra. }
      lra. }
    pose proof (filter_energy (length H) (fun j => Rabs (t j)) (q H) K K_is (fun j => sq_nonneg n _)) as Fe.
    apply (Rmult_le_compat_l K) in Fe; [|exact K0]. apply (Rmult_le_compat_l (K * K)) in B; [|apply square_nonneg]. lra.
  Qed.

  (** *** One step at the virtual iterate, on every path *)
  Let v (H : list S) : vec := fun i => D (virtual H) i - L * eta * slope H i.

  Lemma virtual_path H s : f (virtual (s :: H))
    <= f (virtual H) - eta / 2 * sq n (D (virtual H)) - eta / 2 * (1 - L * eta) * sq n (slope H)
       + L * L * eta * eta * eta / 2 * sq n (delay H) - eta * dot n (v H) (xi H s) + L * eta * eta / 2 * (sigma * sigma).
  Proof.
    destruct Pr as (_ & HL & Sm & _ & _ & _ & He).
    pose proof (smooth_upper n f D L Sm (virtual H) (virtual (s :: H))) as Up.
    assert (E1 : dot n (D (virtual H)) (fun i => virtual (s :: H) i - virtual H i)
                 = - eta * (dot n (D (virtual H)) (slope H) + dot n (D (virtual H)) (xi H s))).
    { unfold dot. rewrite <- sum_plus, <- sum_scal. apply sum_ext; intros i _. unfold virtual.
      rewrite (virtual_S n G alpha beta1 beta2 beta3 eta start f D L f_inf Pr). unfold grad, xi. fold z. ring. }
    assert (E2 : sq n (fun i => virtual (s :: H) i - virtual H i)
                 = eta * eta * (sq n (slope H) + 2 * dot n (slope H) (xi H s) + sq n (xi H s))).
    { rewrite <- sq_sum, <- sq_scaled with (k := eta). unfold sq. apply sum_ext; intros i _. unfold virtual.
      rewrite (virtual_S n G alpha beta1 beta2 beta3 eta start f D L f_inf Pr). unfold grad, xi. fold z. ring. }
    assert (E3 : dot n (v H) (xi H s) = dot n (D (virtual H)) (xi H s) - L * eta * dot n (slope H) (xi H s)).
    { unfold dot, v. rewrite <- sum_scal, <- sum_minus. apply sum_ext; intros; ring. }
    assert (Lip : sq n (fun i => D (virtual H) i - slope H i) <= L * L * (eta * eta * sq n (delay H))).
    { eapply Rle_trans; [apply (smooth_lipschitz n f D L Sm HL)|]. apply Rmult_le_compat_l; [apply square_nonneg|].
      rewrite <- sq_scaled with (k := eta). apply Req_le. unfold sq. apply sum_ext; intros i _. unfold virtual, Virtual.virtual.
      fold z delay. ring. }
    assert (Po : sq n (fun i => D (virtual H) i - slope H i)
                 = sq n (D (virtual H)) + sq n (slope H) - 2 * dot n (D (virtual H)) (slope H)).
    { unfold sq, dot. rewrite <- sum_scal, <- sum_plus, <- sum_minus. apply sum_ext; intros; ring. }
    rewrite Po in Lip. apply (Rmult_le_compat_l (eta / 2)) in Lip; [|lra].
    pose proof (Bn H s) as Bs. cbv zeta in Bs. fold z in Bs. change (fun i => G H (theta (z H)) s i - D (theta (z H)) i) with (xi H s) in Bs.
    apply (Rmult_le_compat_l (L * eta * eta / 2)) in Bs; [|apply Rmult_le_pos; [repeat apply Rmult_le_pos|]; lra].
    rewrite E1, E2 in Up. rewrite E3. lra.
  Qed.

  (** *** The supermartingale *)
  Let rate := / (eta * (sigma * sigma) * (1 + L * eta)).
  Definition excess (H : list S) : R := rate * (f (virtual H) - f start
    + eta / 2 * (1 - 2 * (L * eta)) * over_path (fun H => sq n (slope H)) H
    - L * L * eta * eta * eta / 2 * over_path (fun H => sq n (delay H)) H
    - INR (length H) * (L * eta * eta / 2 * (sigma * sigma))).

  Lemma rate_pos : 0 < rate.
  Proof.
    destruct Pr as (_ & HL & _ & _ & _ & _ & He). apply Rinv_0_lt_compat. repeat apply Rmult_lt_0_compat; try lra.
    pose proof (Rmult_le_pos L eta HL ltac:(lra)). lra.
  Qed.

  Lemma supermartingale H : next outs w H (fun s => exp (excess (s :: H))) <= exp (excess H).
  Proof.
    destruct Pr as (_ & HL & _ & _ & _ & _ & He). destruct Un as [Pw U]. destruct (U H) as [U1 _]. pose proof rate_pos as R0.
    pose proof (Rmult_le_pos L eta HL ltac:(lra)) as Z0.
    set (spent := rate * (eta / 2) * (sq n (D (virtual H)) + L * eta * sq n (slope H))).
    set (a := rate * eta * (norm n (v H) * sigma)).
    assert (Step : forall s, excess (s :: H) <= (excess H - spent) + - (rate * eta) * dot n (v H) (xi H s)).
    { intros s. unfold excess, spent. simpl over_path. simpl length. rewrite S_INR. pose proof (virtual_path H s) as Vp.
      apply (Rmult_le_compat_l rate) in Vp; [|lra]. lra. }
    assert (A2 : a * a / 2 <= spent).
    { assert (N : sq n (v H) <= (1 + L * eta) * (sq n (D (virtual H)) + L * eta * sq n (slope H))).
      { unfold v, sq. rewrite <- sum_scal, <- sum_plus, <- sum_scal. apply sum_le; intros i _.
        pose proof (Rmult_le_pos _ _ Z0 (square_nonneg (D (virtual H) i + slope H i))). nra. }
      replace (a * a / 2) with (rate * (eta / 2) * (rate * eta * (sigma * sigma)) * sq n (v H))
        by (unfold a; rewrite <- norm_square; field).
      apply (Rmult_le_compat_l (rate * (eta / 2) * (rate * eta * (sigma * sigma)))) in N;
        [|repeat apply Rmult_le_pos; lra].
      eapply Rle_trans; [exact N|]. apply Req_le. unfold spent, rate. field. repeat split; lra. }
    apply Rle_trans with (next outs w H (fun s => exp (excess H - spent) * exp (- (rate * eta) * dot n (v H) (xi H s)))).
    - apply (next_le outs w Pw). intros s. rewrite <- exp_plus. apply exp_le, Step.
    - rewrite (next_scal outs w). apply Rle_trans with (exp (excess H - spent) * exp (a * a / 2)).
      + apply Rmult_le_compat_l; [left; apply exp_pos|]. apply (hoeffding outs w Pw).
        * unfold a. pose proof (norm_nonneg n (v H)). repeat apply Rmult_le_pos; lra.
        * rewrite (next_scal outs w). unfold dot. rewrite (next_sum outs w), (sum_ext n _ (fun _ => 0)), sum_zero; [ring|].
          intros i _. rewrite (next_scal outs w). unfold xi, slope. fold z in U1. rewrite U1. ring.
        * intros s. rewrite Rabs_mult, Rabs_Ropp, (Rabs_right (rate * eta)) by (apply Rle_ge, Rmult_le_pos; lra).
          unfold a. apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|]. eapply Rle_trans; [apply cauchy_schwarz|].
          apply Rmult_le_compat_l; [apply norm_nonneg|]. apply square_le; [lra|]. rewrite norm_square. exact (Bn H s).
      + rewrite <- exp_plus. apply exp_le. lra.
  Qed.

  (** The mean exceeds the bound with probability at most exp (-x); exp (-x) = delta is x = log (1 / delta). *)
  Theorem high_probability T x : 8 * (L * eta) <= 1 -> 8 * ((L * eta * K) * (L * eta * K)) <= 1 -> (0 < T)%nat ->
    chance outs w T path_mean (4 * (f start - f_inf) / (eta * INR T)
      + 2 * L * eta * (sigma * sigma) * (1 + 2 * L * eta * (K * K)) + 4 * (1 + L * eta) * (sigma * sigma) * x / INR T)
    <= exp (- x).
  Proof.
    intros S1 S2 HT. destruct Pr as (_ & HL & _ & Inf & _ & _ & He). pose proof (proj1 Un) as Pw. pose proof rate_pos as R0.
    pose proof (Rmult_le_pos L eta HL ltac:(lra)) as Z0.
    assert (HTR : 0 < INR T) by (apply lt_0_INR; exact HT).
    set (level := _ + _ + _). apply Rle_trans with (chance outs w T excess x).
    - apply (expect_le_at outs w Pw). intros H HT'. destruct (Rlt_dec level (path_mean H)) as [Over|_];
        [|destruct (Rlt_dec x (excess H)); lra].
      destruct (Rlt_dec x (excess H)) as [_|Not]; [lra|exfalso; apply Not].
      set (X := over_path (fun H => sq n (slope H)) H). assert (X0 : 0 <= X).
      { unfold X. clear. induction H as [|s H IH]; simpl; [lra|]. pose proof (sq_nonneg n (slope H)). lra. }
      assert (Over' : f start - f_inf + INR T * (L * eta * eta / 2 * (sigma * sigma) * (1 + 2 * L * eta * (K * K))) + x / rate
                      < eta / 4 * X).
      { change (path_mean H) with (X / INR (length H)) in Over. rewrite HT' in Over.
        apply (Rmult_lt_compat_l (eta / 4 * INR T)) in Over; [|apply Rmult_lt_0_compat; lra].
        replace (eta / 4 * INR T * (X / INR T)) with (eta / 4 * X) in Over by (field; lra). eapply Rle_lt_trans; [|exact Over].
        apply Req_le. unfold level, rate. field. repeat split; lra. }
      assert (Kept : eta / 4 * X <= eta / 2 * (1 - 2 * (L * eta) - 2 * (L * eta * K * (L * eta * K))) * X).
      { apply Rmult_le_compat_r; [exact X0|]. nra. }
      pose proof (delays_path H) as Dp. fold X in Dp. rewrite HT' in Dp.
      apply (Rmult_le_compat_l (L * L * eta * eta * eta / 2)) in Dp; [|apply Rmult_le_pos; [repeat apply Rmult_le_pos|]; lra].
      pose proof (Inf (virtual H)) as Low.
      replace x with (rate * (x / rate)) by (field; lra). unfold excess. apply Rmult_lt_compat_l; [exact R0|]. fold X. rewrite HT'. lra.
    - eapply Rle_trans; [apply (exceeds_rarely outs w Pw T excess x), supermartingale|].
      assert (E0 : excess [] = 0) by (unfold excess, virtual; rewrite start_is; simpl; ring).
      rewrite E0, exp_0. lra.
  Qed.
End Bound.
