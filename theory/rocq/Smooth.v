(** Differentiable functions on R^n: from the derivative to the inequalities that the theorems use. *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Proofs Require Import Sums Vectors.
Local Open Scope R_scope.

Lemma quadratic_derivative a b c t : derivable_pt_lim (fun t => a + b * t + c * (t * t)) t (b + 2 * c * t).
Proof.
  replace (b + 2 * c * t) with (0 + b * 1 + c * (1 * t + t * 1)) by ring.
  apply (derivable_pt_lim_plus (fun t => a + b * t)).
  - apply (derivable_pt_lim_plus (fun _ => a)); [apply derivable_pt_lim_const|].
    apply (derivable_pt_lim_scal (fun t => t)). apply derivable_pt_lim_id.
  - apply (derivable_pt_lim_scal (fun t => t * t)).
    apply (derivable_pt_lim_mult (fun t => t) (fun t => t)); apply derivable_pt_lim_id.
Qed.

(** A function whose derivative is at most 0 does not grow. The standard library's mean value theorem would do, but it
    rests on the law of the excluded middle; bisection needs the axioms of the reals alone. *)
Section Bisection.
  Variables (phi phi' : R -> R).
  Hypothesis derivative : forall t, 0 <= t <= 1 -> derivable_pt_lim phi t (phi' t) /\ phi' t <= 0.
  Let e := phi 1 - phi 0.

  (** The left end of the half in which phi grows by at least e per unit of length. *)
  Fixpoint left_end (k : nat) : R :=
    match k with
    | O => 0
    | S j => let a := left_end j in let half := / 2 ^ S j in
             if Rle_dec (e * half) (phi (a + half) - phi a) then a else a + half
    end.

  Lemma left_end_S k : left_end (S k) = if Rle_dec (e * / 2 ^ S k) (phi (left_end k + / 2 ^ S k) - phi (left_end k))
                                        then left_end k else left_end k + / 2 ^ S k.
  Proof. reflexivity. Qed.

  Lemma halved k : / 2 ^ k = / 2 ^ S k + / 2 ^ S k.
  Proof. simpl. field. apply pow_nonzero. lra. Qed.

  Lemma width_pos k : 0 < / 2 ^ k.
  Proof. apply Rinv_0_lt_compat, pow_lt. lra. Qed.

  Lemma growth k : e * / 2 ^ k <= phi (left_end k + / 2 ^ k) - phi (left_end k).
  Proof.
    induction k as [|k IH]; [simpl; rewrite Rinv_1, Rplus_0_l; unfold e; lra|].
    rewrite (halved k) in IH. rewrite left_end_S.
    destruct (Rle_dec _ _) as [Le|Gt]; [exact Le|].
    rewrite <- Rplus_assoc in IH. lra.
  Qed.

  Lemma nested j k : left_end k <= left_end (j + k) /\ left_end (j + k) + / 2 ^ (j + k) <= left_end k + / 2 ^ k.
  Proof.
    induction j as [|j [IH1 IH2]]; [simpl; lra|]. change (S j + k)%nat with (S (j + k)).
    pose proof (width_pos (S (j + k))). rewrite (halved (j + k)) in IH2. rewrite left_end_S.
    destruct (Rle_dec _ _); lra.
  Qed.

  Theorem does_not_grow : phi 1 <= phi 0.
  Proof.
    destruct (Rle_lt_dec (phi 1) (phi 0)) as [Le|Gt]; [exact Le|exfalso].
    assert (He : 0 < e) by (unfold e; lra).
    destruct (completeness (fun x => exists k, x = left_end k)) as [c [Ub Least]].
    - exists 1. intros x [k ->]. destruct (nested k 0) as [_ N]. rewrite Nat.add_0_r in N. simpl in N.
      pose proof (width_pos k). rewrite Rinv_1 in N. lra.
    - exists 0, 0%nat. reflexivity.
    - assert (In : forall k, left_end k <= c <= left_end k + / 2 ^ k).
      { intros k. split; [apply Ub; exists k; reflexivity|]. apply Least. intros x [j ->].
        destruct (Nat.le_ge_cases j k) as [Le|Ge].
        - destruct (nested (k - j) j) as [N _]. replace (k - j + j)%nat with k in N by lia. pose proof (width_pos k). lra.
        - destruct (nested (j - k) k) as [_ N]. replace (j - k + k)%nat with j in N by lia. pose proof (width_pos j). lra. }
      assert (C01 : 0 <= c <= 1) by (destruct (In 0%nat) as [I1 I2]; simpl in I1, I2; rewrite Rinv_1 in I2; lra).
      destruct (derivative c C01) as [Der Neg]. destruct (Der (e / 2)) as [delta Near]; [lra|].
      assert (Up : forall h, 0 <= h < delta -> phi (c + h) - phi c <= e / 2 * h).
      { intros h [H0 H1]. destruct (Req_dec h 0) as [->|Hn]; [rewrite Rplus_0_r; lra|].
        assert (Hp : 0 < h) by lra. pose proof (Near h Hn ltac:(rewrite Rabs_right; lra)) as K. apply Rabs_def2 in K.
        apply Rmult_le_reg_r with (/ h); [apply Rinv_0_lt_compat; exact Hp|].
        rewrite Rmult_assoc, Rinv_r by lra. unfold Rdiv in K. lra. }
      assert (Down : forall h, 0 <= h < delta -> phi c - phi (c - h) <= e / 2 * h).
      { intros h [H0 H1]. destruct (Req_dec h 0) as [->|Hn]; [rewrite Rminus_0_r; lra|].
        assert (Hp : 0 < h) by lra.
        pose proof (Near (- h) ltac:(lra) ltac:(rewrite Rabs_Ropp, Rabs_right; lra)) as K. apply Rabs_def2 in K.
        replace ((phi (c + - h) - phi c) / - h) with ((phi c - phi (c - h)) / h) in K
          by (change (c - h) with (c + - h); field; lra).
        apply Rmult_le_reg_r with (/ h); [apply Rinv_0_lt_compat; exact Hp|].
        rewrite Rmult_assoc, Rinv_r by lra. unfold Rdiv in K. lra. }
      assert (Thin : exists k, / 2 ^ k < delta).
      { destruct (pow_lt_1_zero (/ 2)) with (y := pos delta) as [N HN]; [rewrite Rabs_right; lra|apply cond_pos|].
        exists N. specialize (HN N (le_n N)). rewrite pow_inv, Rabs_right in HN; [exact HN|]. pose proof (width_pos N). lra. }
      destruct Thin as [k Hk]. destruct (In k) as [I1 I2]. pose proof (width_pos k) as Wk.
      pose proof (Up (left_end k + / 2 ^ k - c) ltac:(lra)) as U. pose proof (Down (c - left_end k) ltac:(lra)) as Dn.
      replace (c + (left_end k + / 2 ^ k - c)) with (left_end k + / 2 ^ k) in U by ring.
      replace (c - (c - left_end k)) with (left_end k) in Dn by ring.
      pose proof (growth k). assert (0 < e * / 2 ^ k) by (apply Rmult_lt_0_compat; assumption). lra.
  Qed.
End Bisection.

Corollary moves_at_most (phi phi' : R -> R) M :
  (forall t, 0 <= t <= 1 -> derivable_pt_lim phi t (phi' t) /\ Rabs (phi' t) <= M) -> Rabs (phi 1 - phi 0) <= M.
Proof.
  intros H. pose proof (quadratic_derivative 0 M 0) as Q.
  pose proof (does_not_grow (fun t => phi t - (0 + M * t + 0 * (t * t))) (fun t => phi' t - (M + 2 * 0 * t))) as Up.
  pose proof (does_not_grow (fun t => - phi t - (0 + M * t + 0 * (t * t))) (fun t => - phi' t - (M + 2 * 0 * t))) as Down.
  cbv beta in Up, Down. apply Rabs_le. split.
  - assert (- phi 1 - (0 + M * 1 + 0 * (1 * 1)) <= - phi 0 - (0 + M * 0 + 0 * (0 * 0))); [apply Down|lra].
    intros t T. destruct (H t T) as [D B]. pose proof (Rle_abs (- phi' t)) as A. rewrite Rabs_Ropp in A. split; [|lra].
    apply (derivable_pt_lim_minus (fun t => - phi t)); [apply (derivable_pt_lim_opp phi); exact D|apply Q].
  - assert (phi 1 - (0 + M * 1 + 0 * (1 * 1)) <= phi 0 - (0 + M * 0 + 0 * (0 * 0))); [apply Up|lra].
    intros t T. destruct (H t T) as [D B]. pose proof (Rle_abs (phi' t)) as A. split; [|lra].
    apply (derivable_pt_lim_minus phi); [exact D|apply Q].
Qed.

Section Functions.
  Variable n : nat.

  (** D is the gradient of f: the derivative along every line. *)
  Definition gradient (f : vec -> R) (D : vec -> vec) : Prop := forall x d : vec,
    derivable_pt_lim (fun t => f (fun i => x i + t * d i)) 0 (dot n (D x) d).

  Definition smooth (f : vec -> R) (D : vec -> vec) (L : R) : Prop :=
    gradient f D /\ forall x y, norm n (fun i => D x i - D y i) <= L * norm n (fun i => x i - y i).

  Definition convex (f : vec -> R) : Prop := forall (x y : vec) t, 0 <= t <= 1 ->
    f (fun i => (1 - t) * x i + t * y i) <= (1 - t) * f x + t * f y.

  Definition minimiser (f : vec -> R) (star : vec) : Prop := forall x, f star <= f x.

  Definition strongly_convex (f : vec -> R) (mu : R) : Prop := convex (fun x => f x - mu / 2 * sq n x).

  (** Polyak and Lojasiewicz's condition. *)
  Definition pl (f : vec -> R) (D : vec -> vec) (mu f_inf : R) : Prop :=
    forall x, 2 * mu * (f x - f_inf) <= sq n (D x).

  (** *** The derivative at other points of the line; sums, multiples and squares *)
  Lemma gradient_at f D x d t : gradient f D ->
    derivable_pt_lim (fun t => f (fun i => x i + t * d i)) t (dot n (D (fun i => x i + t * d i)) d).
  Proof.
    intros G eps He. destruct (G (fun i => x i + t * d i) d eps He) as [delta P].
    exists delta. intros h H0 H1. specialize (P h H0 H1). cbv beta in P.
    replace (fun i => x i + t * d i + (0 + h) * d i) with (fun i => x i + (t + h) * d i) in P
      by (extensionality i; ring).
    replace (fun i => x i + t * d i + 0 * d i) with (fun i => x i + t * d i) in P by (extensionality i; ring).
    exact P.
  Qed.

  Lemma gradient_scaled f D k : gradient f D -> gradient (fun x => k * f x) (fun x i => k * D x i).
  Proof.
    intros G x d. rewrite dot_scaled.
    exact (derivable_pt_lim_scal (fun t => f (fun i => x i + t * d i)) k 0 _ (G x d)).
  Qed.

  Lemma smooth_scaled f D L k : smooth f D L -> 0 <= k -> smooth (fun x => k * f x) (fun x i => k * D x i) (k * L).
  Proof.
    intros [G P] Hk. split; [apply gradient_scaled; exact G|]. intros x y.
    replace (fun i => k * D x i - k * D y i) with (fun i => k * (D x i - D y i)) by (extensionality i; ring).
    rewrite norm_scaled by exact Hk. rewrite Rmult_assoc. apply Rmult_le_compat_l; [exact Hk|apply P].
  Qed.

  Lemma smooth_negative f D L : smooth f D L -> smooth (fun x => - f x) (fun x i => - D x i) L.
  Proof.
    intros [G P]. split.
    - intros x d. replace (dot n (fun i => - D x i) d) with (- dot n (D x) d)
        by (unfold dot; rewrite <- (Rmult_1_l (sum _ _)), <- Ropp_mult_distr_l_reverse, <- sum_scal;
            apply sum_ext; intros; ring).
      exact (derivable_pt_lim_opp (fun t => f (fun i => x i + t * d i)) 0 _ (G x d)).
    - intros x y. eapply Rle_trans; [|apply P]. unfold norm. apply Req_le. f_equal. unfold sq.
      apply sum_ext; intros; ring.
  Qed.

  Lemma square_gradient k : gradient (fun x => k / 2 * sq n x) (fun x i => k * x i).
  Proof.
    intros x d. rewrite dot_scaled.
    assert (E : (fun t => k / 2 * sq n (fun i => x i + t * d i))
                = (fun t => k / 2 * sq n x + k * dot n x d * t + k / 2 * sq n d * (t * t))).
    { extensionality t. rewrite sq_sum, sq_scaled, (dot_comm n x), dot_scaled, (dot_comm n d). field. }
    pose proof (quadratic_derivative (k / 2 * sq n x) (k * dot n x d) (k / 2 * sq n d) 0) as Q.
    rewrite Rmult_0_r, Rplus_0_r in Q. rewrite E. exact Q.
  Qed.

  (** *** Smooth: the quadratic bounds, and the Lipschitz gradient in squares *)
  Theorem smooth_upper f D L : smooth f D L -> forall x y,
    f y <= f x + dot n (D x) (fun i => y i - x i) + L / 2 * sq n (fun i => y i - x i).
  Proof.
    intros [G P] x y. set (d := fun i => y i - x i).
    set (phi := fun t => f (fun i => x i + t * d i) - (0 + dot n (D x) d * t + L / 2 * sq n d * (t * t))).
    set (phi' := fun t => dot n (D (fun i => x i + t * d i)) d - (dot n (D x) d + 2 * (L / 2 * sq n d) * t)).
    assert (E : phi 1 <= phi 0).
    { apply (does_not_grow phi phi'). intros t T. split.
      - apply (derivable_pt_lim_minus (fun t => f (fun i => x i + t * d i)));
          [apply gradient_at; exact G|apply quadratic_derivative].
      - unfold phi'. set (z := fun i => x i + t * d i).
        assert (S : dot n (D z) d - dot n (D x) d = dot n (fun i => D z i - D x i) d)
          by (unfold dot; rewrite <- sum_minus; apply sum_ext; intros; ring).
        pose proof (cauchy_schwarz n (fun i => D z i - D x i) d) as C.
        pose proof (Rle_abs (dot n (fun i => D z i - D x i) d)) as A.
        pose proof (P z x) as Lip.
        replace (norm n (fun i => z i - x i)) with (t * norm n d) in Lip.
        2: { rewrite <- norm_scaled by lra. unfold z. f_equal. extensionality i. ring. }
        pose proof (norm_nonneg n d).
        assert (norm n (fun i => D z i - D x i) * norm n d <= L * (t * norm n d) * norm n d)
          by (apply Rmult_le_compat_r; assumption).
        rewrite <- norm_square. nra. }
    unfold phi in E. replace (fun i => x i + 1 * d i) with y in E by (extensionality i; unfold d; ring).
    replace (fun i => x i + 0 * d i) with x in E by (extensionality i; ring). lra.
  Qed.

  Lemma smooth_lower f D L : smooth f D L -> forall x y,
    f x + dot n (D x) (fun i => y i - x i) - L / 2 * sq n (fun i => y i - x i) <= f y.
  Proof.
    intros S x y. pose proof (smooth_upper _ _ _ (smooth_negative _ _ _ S) x y) as U. cbv beta in U.
    replace (dot n (fun i => - D x i) (fun i => y i - x i)) with (- dot n (D x) (fun i => y i - x i)) in U; [lra|].
    unfold dot. rewrite <- (Rmult_1_l (sum _ _)), <- Ropp_mult_distr_l_reverse, <- sum_scal.
    apply sum_ext; intros; ring.
  Qed.

  Lemma smooth_lipschitz f D L : smooth f D L -> 0 <= L -> forall x y,
    sq n (fun i => D x i - D y i) <= L * L * sq n (fun i => x i - y i).
  Proof.
    intros [_ P] HL x y. rewrite <- !norm_square. specialize (P x y).
    pose proof (norm_nonneg n (fun i => D x i - D y i)). pose proof (norm_nonneg n (fun i => x i - y i)).
    replace (L * L * (norm n (fun i => x i - y i) * norm n (fun i => x i - y i)))
      with (L * norm n (fun i => x i - y i) * (L * norm n (fun i => x i - y i))) by ring.
    apply Rmult_le_compat; assumption.
  Qed.

  (** *** Convex: the tangent lies below *)
  Theorem convex_tangent f D : gradient f D -> convex f -> forall x y,
    f x + dot n (D x) (fun i => y i - x i) <= f y.
  Proof.
    intros G C x y. set (d := fun i => y i - x i).
    destruct (Rle_lt_dec (dot n (D x) d) (f y - f x)) as [L|L]; [lra|exfalso].
    destruct (G x d (dot n (D x) d - (f y - f x))) as [delta P]; [lra|].
    set (h := Rmin (delta / 2) 1). pose proof (cond_pos delta) as Pos.
    assert (Hh : 0 < h) by (apply Rmin_glb_lt; lra).
    assert (H1 : h <= 1) by apply Rmin_r. assert (H2 : h <= delta / 2) by apply Rmin_l.
    specialize (P h). cbv beta in P.
    replace (fun i => x i + (0 + h) * d i) with (fun i => (1 - h) * x i + h * y i) in P
      by (extensionality i; unfold d; ring).
    replace (fun i => x i + 0 * d i) with x in P by (extensionality i; ring).
    pose proof (C x y h (conj (Rlt_le _ _ Hh) H1)) as K.
    assert (Q : (f (fun i => (1 - h) * x i + h * y i) - f x) / h <= f y - f x).
    { apply Rmult_le_reg_r with h; [exact Hh|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
    assert (B : Rabs h < delta) by (rewrite Rabs_right; lra).
    pose proof (P ltac:(lra) B) as R. apply Rabs_def2 in R. lra.
  Qed.

  Theorem strongly_convex_tangent f D mu : gradient f D -> strongly_convex f mu -> forall x y,
    f x + dot n (D x) (fun i => y i - x i) + mu / 2 * sq n (fun i => y i - x i) <= f y.
  Proof.
    intros G C x y.
    assert (G' : gradient (fun x => f x - mu / 2 * sq n x) (fun x i => D x i - mu * x i)).
    { intros z d. pose proof (derivable_pt_lim_minus _ _ _ _ _ (G z d) (square_gradient mu z d)) as E.
      replace (dot n (fun i => D z i - mu * z i) d) with (dot n (D z) d - dot n (fun i => mu * z i) d)
        by (unfold dot; rewrite <- sum_minus; apply sum_ext; intros; ring). exact E. }
    pose proof (convex_tangent _ _ G' C x y) as K. cbv beta in K.
    assert (E1 : dot n (fun i => D x i - mu * x i) (fun i => y i - x i)
            = dot n (D x) (fun i => y i - x i) - mu * dot n x (fun i => y i - x i))
      by (unfold dot; rewrite <- sum_scal, <- sum_minus; apply sum_ext; intros; ring).
    assert (E2 : sq n (fun i => y i - x i) = sq n y - sq n x - 2 * dot n x (fun i => y i - x i)).
    { unfold sq, dot. rewrite <- sum_scal, <- !sum_minus. apply sum_ext; intros; ring. }
    rewrite E1 in K. rewrite E2. lra.
  Qed.

  (** The gradient vanishes at a minimiser. *)
  Lemma stationary f D L star : smooth f D L -> 0 < L -> minimiser f star -> forall i, (i < n)%nat -> D star i = 0.
  Proof.
    intros S HL M i Hi. set (y := fun i => star i + - / L * D star i).
    pose proof (smooth_upper _ _ _ S star y) as U. pose proof (M y) as B.
    replace (fun i => y i - star i) with (fun i => - / L * D star i) in U by (extensionality j; unfold y; ring).
    rewrite sq_scaled, (dot_comm n (D star)), dot_scaled in U. fold (sq n (D star)) in U.
    change (dot n (D star) (D star)) with (sq n (D star)) in U.
    replace (L / 2 * (- / L * - / L * sq n (D star))) with (/ L / 2 * sq n (D star)) in U by (field; lra).
    assert (0 < / L) by (apply Rinv_0_lt_compat; lra).
    assert (Z : sq n (D star) <= 0) by nra.
    pose proof (sum_one n i (fun i => D star i * D star i) Hi ltac:(intros; apply square_nonneg)) as O.
    cbv beta in O. unfold sq in Z. pose proof (square_nonneg (D star i)).
    apply Rsqr_0_uniq. unfold Rsqr. lra.
  Qed.

  (** *** The inequalities of performance estimation, in units L = 1 *)
  Theorem interpolation_convex f D mu x y : smooth f D 1 -> strongly_convex f mu -> 0 <= mu < 1 ->
    f y - f x + sum n (fun i => let dx := x i - y i in let dg := D x i - D y i in
      D y i * dx + (dg * dg + mu * (dx * dx) - 2 * mu * (dg * dx)) * / (2 * (1 - mu))) <= 0.
  Proof.
    intros S C Hmu. set (z := fun i => x i + (mu * (x i - y i) - (D x i - D y i)) / (1 - mu)).
    pose proof (strongly_convex_tangent _ _ _ (proj1 S) C y z) as B. pose proof (smooth_upper _ _ _ S x z) as U.
    assert (E : sum n (fun i => let dx := x i - y i in let dg := D x i - D y i in
        D y i * dx + (dg * dg + mu * (dx * dx) - 2 * mu * (dg * dx)) * / (2 * (1 - mu)))
      = dot n (D y) (fun i => z i - y i) + mu / 2 * sq n (fun i => z i - y i)
        - (dot n (D x) (fun i => z i - x i) + 1 / 2 * sq n (fun i => z i - x i))).
    { unfold dot, sq. rewrite <- !sum_scal, <- !sum_plus, <- sum_minus.
      apply sum_ext; intros; unfold z; cbv zeta; field; lra. }
    lra.
  Qed.

  Theorem interpolation_smooth f D x y : smooth f D 1 ->
    f y - f x + sum n (fun i => let dx := x i - y i in let dg := D x i - D y i in
      (D x i + D y i) * dx * (1 / 2) + (dg * dg - dx * dx) * (1 / 4)) <= 0.
  Proof.
    intros S. set (z := fun i => (x i + y i) / 2 - (D x i - D y i) / 2).
    pose proof (smooth_lower _ _ _ S y z) as B. pose proof (smooth_upper _ _ _ S x z) as U.
    assert (E : sum n (fun i => let dx := x i - y i in let dg := D x i - D y i in
        (D x i + D y i) * dx * (1 / 2) + (dg * dg - dx * dx) * (1 / 4))
      = dot n (D y) (fun i => z i - y i) - 1 / 2 * sq n (fun i => z i - y i)
        - (dot n (D x) (fun i => z i - x i) + 1 / 2 * sq n (fun i => z i - x i))).
    { unfold dot, sq. rewrite <- !sum_scal, <- !sum_plus, <- !sum_minus.
      apply sum_ext; intros; unfold z; cbv zeta; field. }
    lra.
  Qed.
End Functions.

(** *** Lemma 8: descent with any diagonal preconditioner *)
Theorem lemma_8 n f D (theta m q : vec) L eta q_max :
  smooth n f D L -> 0 <= L -> 0 <= eta -> (forall i, 0 <= q i <= q_max) ->
  let after := fun i => theta i - eta * (q i * m i) in
  let weighted := fun x : vec => sum n (fun i => q i * (x i * x i)) in
  f after <= f theta - eta / 2 * (weighted (D theta) + (1 - L * eta * q_max) * weighted m)
             + eta / 2 * weighted (fun i => m i - D theta i).
Proof.
  intros S HL He Hq after weighted. eapply Rle_trans; [apply (smooth_upper n f D L S theta after)|].
  unfold weighted, after, dot, sq.
  assert (K : sum n (fun i => D theta i * (theta i - eta * (q i * m i) - theta i))
              + L / 2 * sum n (fun i => (theta i - eta * (q i * m i) - theta i) * (theta i - eta * (q i * m i) - theta i))
              <= - (eta / 2) * sum n (fun i => q i * (D theta i * D theta i))
                 + - (eta / 2 * (1 - L * eta * q_max)) * sum n (fun i => q i * (m i * m i))
                 + eta / 2 * sum n (fun i => q i * ((m i - D theta i) * (m i - D theta i)))).
  { rewrite <- !sum_scal, <- !sum_plus. apply sum_le; intros i _. destruct (Hq i) as [q0 q1].
    assert (0 <= q i * (m i * m i)) by (apply Rmult_le_pos; [lra|apply square_nonneg]).
    assert (0 <= L / 2 * (eta * eta) * ((q_max - q i) * (q i * (m i * m i))))
      by (apply Rmult_le_pos; [apply Rmult_le_pos; nra|apply Rmult_le_pos; lra]). nra. }
  lra.
Qed.

Theorem lemma_8_descends n f D (theta m q : vec) L eta q_max :
  smooth n f D L -> 0 <= L -> 0 <= eta -> (forall i, 0 <= q i <= q_max) -> L * eta * q_max <= 1 / 2 ->
  f (fun i => theta i - eta * (q i * m i))
  <= f theta + eta / 2 * sum n (fun i => q i * ((m i - D theta i) * (m i - D theta i))).
Proof.
  intros S HL He Hq Hs. pose proof (lemma_8 n f D theta m q L eta q_max S HL He Hq) as K. cbv zeta in K.
  assert (P : forall x : vec, 0 <= sum n (fun i => q i * (x i * x i))).
  { intros x. apply sum_nonneg; intros i _. apply Rmult_le_pos; [apply Hq|apply square_nonneg]. }
  pose proof (P (D theta)) as P1. pose proof (P m) as P2.
  assert (0 <= eta / 2 * (sum n (fun i => q i * (D theta i * D theta i))
                          + (1 - L * eta * q_max) * sum n (fun i => q i * (m i * m i)))).
  { apply Rmult_le_pos; [lra|]. apply Rplus_le_le_0_compat; [exact P1|]. apply Rmult_le_pos; [lra|exact P2]. }
  lra.
Qed.
