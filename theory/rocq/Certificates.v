(** Certificates of worst cases: rational multipliers of the inequalities of a class of functions, checked by computation,
    prove a bound for every function of the class in every dimension. In units L = 1. *)
From Coq Require Import Reals Lra Lia List QArith Qreals FunctionalExtensionality.
From Proofs Require Import Sums Vectors Smooth Adaptor.
Import ListNotations.
Local Open Scope R_scope.

(** *** Linear and quadratic forms with rational coefficients *)
Definition row := list Q.
Fixpoint ev (r : row) (y : nat -> R) : R := match r with [] => 0 | q :: r' => Q2R q * y O + ev r' (fun j => y (S j)) end.
Definition scale (k : Q) (r : row) : row := map (fun q => Qred (k * q)) r.
Fixpoint add (a b : row) : row :=
  match a, b with [], _ => b | _, [] => a | p :: a', q :: b' => Qred (p + q) :: add a' b' end.
Fixpoint basis (k : nat) : row := match k with O => [1%Q] | S j => 0%Q :: basis j end.

Lemma Q2R_red q : Q2R (Qred q) = Q2R q.
Proof. apply Qeq_eqR, Qred_correct. Qed.
Lemma Q2R_0 : Q2R 0 = 0.
Proof. unfold Q2R. simpl. ring. Qed.
Lemma Q2R_1 : Q2R 1 = 1.
Proof. unfold Q2R. simpl. field. Qed.

Lemma ev_scale k r y : ev (scale k r) y = Q2R k * ev r y.
Proof. revert y. induction r as [|q r IH]; intros y; [simpl; ring|]. unfold scale in *. cbn [map ev]. rewrite IH, Q2R_red, Q2R_mult. ring. Qed.
Lemma ev_add a b y : ev (add a b) y = ev a y + ev b y.
Proof.
  revert b y. induction a as [|p a IH]; intros [|q b] y; cbn [add ev]; try ring. rewrite IH, Q2R_red, Q2R_plus. ring.
Qed.
Lemma ev_unit k y : ev (basis k) y = y k.
Proof. revert y. induction k as [|k IH]; intros y; cbn [basis ev]; [rewrite Q2R_1|rewrite IH, Q2R_0]; ring. Qed.

Definition matrix := list row.
Fixpoint qf (M : matrix) (z y : nat -> R) : R := match M with [] => 0 | r :: M' => z O * ev r y + qf M' (fun j => z (S j)) y end.
Definition mscale (k : Q) (M : matrix) : matrix := map (scale k) M.
Fixpoint madd (A B : matrix) : matrix :=
  match A, B with [], _ => B | _, [] => A | a :: A', b :: B' => add a b :: madd A' B' end.
Definition outer (a b : row) : matrix := map (fun q => scale q b) a.
(** k (a . y) (b . y), symmetric. *)
Definition product (k : Q) (a b : row) : matrix := madd (outer (scale (k / 2) a) b) (outer (scale (k / 2) b) a).

Lemma qf_madd A B z y : qf (madd A B) z y = qf A z y + qf B z y.
Proof.
  revert B z. induction A as [|a A IH]; intros [|b B] z; cbn [madd qf]; try ring. rewrite IH, ev_add. ring.
Qed.
Lemma qf_mscale k A z y : qf (mscale k A) z y = Q2R k * qf A z y.
Proof. revert z. induction A as [|a A IH]; intros z; [simpl; ring|]. unfold mscale in *. cbn [map qf]. rewrite ev_scale, IH. ring. Qed.
Lemma qf_outer a b z y : qf (outer a b) z y = ev a z * ev b y.
Proof. revert z. induction a as [|q a IH]; intros z; [simpl; ring|]. unfold outer in *. cbn [map qf ev]. rewrite ev_scale, IH. ring. Qed.
Lemma qf_product k a b y : qf (product k a b) y y = Q2R k * (ev a y * ev b y).
Proof.
  unfold product. rewrite qf_madd, !qf_outer, !ev_scale, Q2R_div by discriminate.
  replace (Q2R 2) with 2 by (unfold Q2R; simpl; field). field.
Qed.

Definition no_row (r : row) : bool := forallb (fun q => Qeq_bool q 0) r.
Definition no_matrix (M : matrix) : bool := forallb no_row M.
Lemma ev_no_row r y : no_row r = true -> ev r y = 0.
Proof.
  revert y. induction r as [|q r IH]; intros y H; [reflexivity|]. unfold no_row in *. cbn [forallb ev] in *. apply andb_prop in H. destruct H as [H1 H2].
  rewrite (Qeq_eqR q 0 (Qeq_bool_eq _ _ H1)), IH, Q2R_0 by exact H2. ring.
Qed.
Lemma qf_no_matrix M z y : no_matrix M = true -> qf M z y = 0.
Proof.
  revert z. induction M as [|r M IH]; intros z H; [reflexivity|]. unfold no_matrix in *. cbn [forallb qf] in *. apply andb_prop in H. destruct H as [H1 H2].
  rewrite ev_no_row, IH by assumption. ring.
Qed.

(** *** Certificates. A point is an iterate, or the minimiser (None). *)
Definition point := option nat.
Inductive class := StronglyConvex (mu : Q) | JustSmooth.
(** A quantity: a linear form of the values f* , f(x_0), f(x_1) ... and a quadratic form of x_0 - x*, g_0, g_1 ... *)
Definition quantity := (row * matrix)%type.

Record dual := Dual {
  kind : class;
  steps : list row;                                  (* x_k = x_0 - steps_k . (g_0, g_1, ...), k = 0 ... N *)
  performance : quantity;
  initial : quantity;
  tau : Q;                                           (* performance <= tau * initial *)
  multipliers : list (point * point * Q);            (* of the inequalities between two points *)
  squares : list (Q * row)                           (* what is left, as a sum of squares *)
}.

Section Check.
  Variable d : dual.
  Definition x_row (p : point) : row := match p with None => [] | Some k => 1%Q :: scale (-1) (nth k (steps d) []) end.
  Definition g_row (p : point) : row := match p with None => [] | Some k => basis (S k) end.
  Definition f_row (p : point) : row := match p with None => basis 0 | Some k => basis (S k) end.

  Definition inequality (i j : point) : matrix :=
    let dx := add (x_row i) (scale (-1) (x_row j)) in let dg := add (g_row i) (scale (-1) (g_row j)) in
    match kind d with
    | StronglyConvex mu => let k := (1 / (2 * (1 - mu)))%Q in
        madd (product 1 (g_row j) dx) (madd (product k dg dg) (madd (product (k * mu) dx dx) (product (- (2) * mu * k) dg dx)))
    | JustSmooth => madd (product (1 # 2) (add (g_row i) (g_row j)) dx) (madd (product (1 # 4) dg dg) (product (- (1 # 4)) dx dx))
    end.

  Definition known (p : point) : bool :=
    match p, kind d with Some k, _ => Nat.ltb k (length (steps d)) | None, StronglyConvex _ => true | None, JustSmooth => false end.
  Fixpoint flow (l : list (point * point * Q)) : row :=
    match l with [] => [] | (i, j, q) :: l' => add (scale q (add (f_row j) (scale (-1) (f_row i)))) (flow l') end.
  Fixpoint forms (l : list (point * point * Q)) : matrix :=
    match l with [] => [] | (i, j, q) :: l' => madd (mscale q (inequality i j)) (forms l') end.
  Fixpoint sum_of_squares (l : list (Q * row)) : matrix :=
    match l with [] => [] | (q, r) :: l' => madd (product q r r) (sum_of_squares l') end.

  Definition check : bool :=
    match kind d with StronglyConvex mu => Qle_bool 0 mu && negb (Qle_bool 1 mu) | JustSmooth => true end
    && forallb (fun m => match m with (i, j, q) => known i && known j && Qle_bool 0 q end) (multipliers d)
    && forallb (fun s => Qle_bool 0 (fst s)) (squares d)
    && no_row (add (fst (performance d)) (add (scale (- tau d) (fst (initial d))) (scale (-1) (flow (multipliers d)))))
    && no_matrix (madd (snd (performance d)) (madd (mscale (- tau d) (snd (initial d)))
         (madd (mscale (-1) (forms (multipliers d))) (sum_of_squares (squares d))))).

  Section Sound.
    Variables (n : nat) (f : vec -> R) (D : vec -> vec) (o : vec) (x : nat -> vec).
    Let y (i : nat) : nat -> R := fun k => match k with O => x 0%nat i - o i | S j => D (x j) i end.
    Let value (p : nat) : R := match p with O => f o | S k => f (x k) end.
    Let at' (p : point) : vec := match p with None => o | Some k => x k end.

    Definition in_class : Prop := smooth n f D 1
      /\ match kind d with StronglyConvex mu => strongly_convex n f (Q2R mu) /\ minimiser f o | JustSmooth => True end.
    Definition follows : Prop := forall k i, (k < length (steps d))%nat ->
      x k i = x 0%nat i - ev (nth k (steps d) []) (fun j => D (x j) i).
    Definition measured (q : quantity) : R := ev (fst q) value + sum n (fun i => qf (snd q) (y i) (y i)).

    Hypotheses (Cl : in_class) (St : follows).
    Hypothesis mu_is : match kind d with StronglyConvex mu => 0 <= Q2R mu < 1 | JustSmooth => True end.

    Lemma x_is p i : known p = true -> ev (x_row p) (y i) = at' p i - o i.
    Proof.
      clear mu_is. destruct p as [k|]; intros Kn; simpl; [|ring]. unfold known in Kn.
      assert (L : (k < length (steps d))%nat) by (apply Nat.ltb_lt; destruct (kind d); exact Kn).
      rewrite ev_scale, Q2R_1, (St k i L). replace (Q2R (-1)) with (-1) by (unfold Q2R; simpl; field). ring.
    Qed.

    Lemma g_is p i : known p = true -> (i < n)%nat -> ev (g_row p) (y i) = D (at' p) i.
    Proof.
      clear mu_is. destruct p as [k|]; intros Kn Hi; [exact (ev_unit (S k) (y i))|]. destruct Cl as [Sm Co]. unfold known in Kn.
      destruct (kind d); [|discriminate]. simpl. symmetry. apply (stationary n f D 1 o Sm ltac:(lra) (proj2 Co) i Hi).
    Qed.

    Lemma f_is p : ev (f_row p) value = f (at' p).
    Proof. destruct p as [k|]; [exact (ev_unit (S k) value)|exact (ev_unit 0 value)]. Qed.

    Lemma inequality_holds i j : known i = true -> known j = true ->
      f (at' j) - f (at' i) + sum n (fun c => qf (inequality i j) (y c) (y c)) <= 0.
    Proof.
      intros Ki Kj. destruct Cl as [Sm Co].
      assert (m1 : Q2R (-1) = -1) by (unfold Q2R; simpl; field).
      assert (dx : forall c, ev (add (x_row i) (scale (-1) (x_row j))) (y c) = at' i c - at' j c)
        by (intros; rewrite ev_add, ev_scale, !x_is, m1 by assumption; ring).
      assert (dg : forall c, (c < n)%nat -> ev (add (g_row i) (scale (-1) (g_row j))) (y c) = D (at' i) c - D (at' j) c)
        by (intros; rewrite ev_add, ev_scale, !g_is, m1 by assumption; ring).
      unfold inequality. destruct (kind d) as [mu|].
      - pose proof (interpolation_convex n f D (Q2R mu) (at' i) (at' j) Sm (proj1 Co) mu_is) as I.
        eapply Rle_trans; [|exact I]. apply Req_le. f_equal. apply sum_ext; intros c Hc. cbv zeta.
        assert (K : Q2R (1 / (2 * (1 - mu))) = / (2 * (1 - Q2R mu))).
        { assert (N1 : ~ (1 - mu == 0)%Q).
          { intros E. apply Qeq_eqR in E. rewrite Q2R_minus, Q2R_1, Q2R_0 in E. lra. }
          assert (N2 : ~ (2 * (1 - mu) == 0)%Q) by (intros E; destruct (Qmult_integral _ _ E); [discriminate|contradiction]).
          rewrite Q2R_div, Q2R_mult, Q2R_minus, Q2R_1 by exact N2.
          replace (Q2R 2) with 2 by (unfold Q2R; simpl; field). field. lra. }
        rewrite !qf_madd, !qf_product, dx, dg, g_is by assumption. rewrite !Q2R_mult, K, Q2R_opp, Q2R_1.
        replace (Q2R 2) with 2 by (unfold Q2R; simpl; field). ring.
      - pose proof (interpolation_smooth n f D (at' i) (at' j) Sm) as I.
        eapply Rle_trans; [|exact I]. apply Req_le. f_equal. apply sum_ext; intros c Hc. cbv zeta.
        rewrite !qf_madd, !qf_product, dx, dg, ev_add, !g_is, Q2R_opp by assumption.
        replace (Q2R (1 # 2)) with (1 / 2) by (unfold Q2R; simpl; field).
        replace (Q2R (1 # 4)) with (1 / 4) by (unfold Q2R; simpl; field). field.
    Qed.

    Lemma forms_hold l : forallb (fun m => match m with (i, j, q) => known i && known j && Qle_bool 0 q end) l = true ->
      ev (flow l) value + sum n (fun c => qf (forms l) (y c) (y c)) <= 0.
    Proof.
      induction l as [|[[i j] q] l IH]; intros H.
      - simpl. rewrite sum_zero. lra.
      - simpl in H. apply andb_prop in H. destruct H as [H H']. apply andb_prop in H. destruct H as [H Hq].
        apply andb_prop in H. destruct H as [Ki Kj]. specialize (IH H').
        assert (Q0 : 0 <= Q2R q) by (rewrite <- Q2R_0; apply Qle_Rle, Qle_bool_iff; exact Hq).
        pose proof (inequality_holds i j Ki Kj) as I. apply (Rmult_le_compat_l (Q2R q)) in I; [|exact Q0].
        simpl flow. simpl forms. rewrite ev_add, ev_scale, ev_add, ev_scale, !f_is.
        rewrite (sum_ext n _ (fun c => Q2R q * qf (inequality i j) (y c) (y c) + qf (forms l) (y c) (y c)))
          by (intros; rewrite qf_madd, qf_mscale; reflexivity).
        rewrite sum_plus, sum_scal. replace (Q2R (-1)) with (-1) by (unfold Q2R; simpl; field). lra.
    Qed.

    Lemma squares_hold l z : forallb (fun s : Q * row => Qle_bool 0 (fst s)) l = true -> 0 <= qf (sum_of_squares l) z z.
    Proof.
      induction l as [|[q r] l IH]; intros H; simpl; [lra|]. simpl in H. apply andb_prop in H. destruct H as [Hq H'].
      rewrite qf_madd, qf_product. apply Rplus_le_le_0_compat; [|apply IH; exact H'].
      apply Rmult_le_pos; [|apply square_nonneg]. rewrite <- Q2R_0. apply Qle_Rle, Qle_bool_iff. exact Hq.
    Qed.
  End Sound.

  (** The certificate's bound, for every function of the class. *)
  Theorem certified n f D o x : check = true -> in_class n f D o -> follows D x ->
    measured n f D o x (performance d) <= Q2R (tau d) * measured n f D o x (initial d).
  Proof.
    intros H Cl St. unfold check in H. repeat rewrite andb_true_iff in H. destruct H as ((((Hm & Hl) & Hs) & Hv) & Hq).
    assert (mu_is : match kind d with StronglyConvex mu => 0 <= Q2R mu < 1 | JustSmooth => True end).
    { destruct (kind d) as [mu|]; [|exact I]. apply andb_prop in Hm. destruct Hm as [M0 M1]. split.
      - rewrite <- Q2R_0. apply Qle_Rle, Qle_bool_iff. exact M0.
      - rewrite <- Q2R_1. apply Qlt_Rlt. apply Qnot_le_lt. intros E. apply Qle_bool_iff in E. rewrite E in M1. discriminate. }
    pose (y := fun i k => match k with O => x 0%nat i - o i | S j => D (x j) i end).
    pose (value := fun p => match p with O => f o | S k => f (x k) end).
    assert (Fo : ev (flow (multipliers d)) value + sum n (fun c => qf (forms (multipliers d)) (y c) (y c)) <= 0)
      by exact (forms_hold n f D o x Cl St mu_is _ Hl).
    pose proof (ev_no_row _ value Hv) as Ev. rewrite !ev_add, !ev_scale, Q2R_opp in Ev.
    replace (Q2R (-1)) with (-1) in Ev by (unfold Q2R; simpl; field).
    assert (Qs : sum n (fun i => qf (snd (performance d)) (y i) (y i)) - Q2R (tau d) * sum n (fun i => qf (snd (initial d)) (y i) (y i))
                 - sum n (fun i => qf (forms (multipliers d)) (y i) (y i)) <= 0).
    { rewrite <- sum_scal, <- !sum_minus. rewrite <- (Ropp_involutive (sum n _)). apply Rge_le, Ropp_0_le_ge_contravar.
      rewrite <- (Rmult_1_l (sum n _)), <- Ropp_mult_distr_l_reverse, <- sum_scal. apply sum_nonneg; intros i _.
      pose proof (qf_no_matrix _ (y i) (y i) Hq) as E. rewrite !qf_madd, !qf_mscale, Q2R_opp in E.
      replace (Q2R (-1)) with (-1) in E by (unfold Q2R; simpl; field).
      pose proof (squares_hold (squares d) (y i) Hs). lra. }
    change (ev (fst (performance d)) value + sum n (fun i => qf (snd (performance d)) (y i) (y i))
            <= Q2R (tau d) * (ev (fst (initial d)) value + sum n (fun i => qf (snd (initial d)) (y i) (y i)))). lra.
  Qed.
End Check.

(** *** Quantities *)
Definition final_value (N : nat) : quantity := (add (basis (S N)) (scale (-1) (basis 0)), []).
Definition start_value : quantity := (add (basis 1) (scale (-1) (basis 0)), []).
Definition start_distance : quantity := ([], product 1 (basis 0) (basis 0)).
Definition fall (N : nat) : quantity := (add (basis 1) (scale (-1) (basis (S N))), []).
Fixpoint shared (k : nat) (shares : list Q) : matrix :=
  match shares with [] => [] | s :: l => madd (product s (basis k) (basis k)) (shared (S k) l) end.
(** The mean of the |g_k|^2 with these shares. *)
Definition gradients (shares : list Q) : quantity := ([], shared 1 shares).
(** All shares on the last gradient. *)
Definition final_gradient (N : nat) : quantity := ([], product 1 (basis (S N)) (basis (S N))).

Section Quantities.
  Variables (n : nat) (f : vec -> R) (D : vec -> vec) (o : vec) (x : nat -> vec).
  Let minus : Q2R (-1) = -1. Proof. unfold Q2R. simpl. field. Qed.

  Lemma final_value_is N : measured n f D o x (final_value N) = f (x N) - f o.
  Proof.
    unfold measured, final_value. cbn [fst snd qf]. rewrite ev_add, ev_scale, !ev_unit, sum_zero, minus. ring.
  Qed.
  Lemma start_value_is : measured n f D o x start_value = f (x 0%nat) - f o.
  Proof.
    unfold measured, start_value. cbn [fst snd qf]. rewrite ev_add, ev_scale, !ev_unit, sum_zero, minus. ring.
  Qed.
  Lemma fall_is N : measured n f D o x (fall N) = f (x 0%nat) - f (x N).
  Proof.
    unfold measured, fall. cbn [fst snd qf]. rewrite ev_add, ev_scale, !ev_unit, sum_zero, minus. ring.
  Qed.
  Lemma start_distance_is : measured n f D o x start_distance = sq n (fun i => x 0%nat i - o i).
  Proof.
    unfold measured, start_distance, sq. cbn [fst snd ev]. rewrite Rplus_0_l. apply sum_ext; intros i _.
    rewrite qf_product, !ev_unit, Q2R_1. ring.
  Qed.
  Lemma final_gradient_is N : measured n f D o x (final_gradient N) = sq n (D (x N)).
  Proof.
    unfold measured, final_gradient, sq. cbn [fst snd ev]. rewrite Rplus_0_l. apply sum_ext; intros i _.
    rewrite qf_product, !ev_unit, Q2R_1. ring.
  Qed.

  Fixpoint weighted (k : nat) (shares : list Q) : R :=
    match shares with [] => 0 | s :: l => Q2R s * sq n (D (x k)) + weighted (S k) l end.
  Fixpoint total (shares : list Q) : Q := match shares with [] => 0%Q | s :: l => (s + total l)%Q end.

  Lemma gradients_are shares : measured n f D o x (gradients shares) = weighted 0 shares.
  Proof.
    unfold measured, gradients. cbn [fst snd ev]. rewrite Rplus_0_l.
    assert (E : forall k, sum n (fun i => let y := fun k => match k with O => x 0%nat i - o i | S j => D (x j) i end in qf (shared (S k) shares) y y)
                          = weighted k shares); [|exact (E 0%nat)].
    induction shares as [|s l IH]; intros k; cbn [shared weighted]; [apply sum_zero|].
    rewrite <- IH. unfold sq. rewrite <- sum_scal, <- sum_plus. apply sum_ext; intros i _. cbv zeta.
    rewrite qf_madd, qf_product, !ev_unit. reflexivity.
  Qed.

  (** One of the gradients is at most their mean. *)
  Lemma one_is_small shares B : forallb (Qle_bool 0) shares = true -> Qeq_bool (total shares) 1 = true -> weighted 0 shares <= B ->
    exists k, (k < length shares)%nat /\ sq n (D (x k)) <= B.
  Proof.
    intros Pos One W.
    assert (E : forall l k, forallb (Qle_bool 0) l = true ->
      (exists j, (k <= j < k + length l)%nat /\ sq n (D (x j)) <= B)
      \/ Q2R (total l) * B <= weighted k l /\ (0 < Q2R (total l) -> Q2R (total l) * B < weighted k l)).
    { induction l as [|s l IH]; intros k P.
      - right. cbn [total weighted]. rewrite Q2R_0. split; [lra|intros; lra].
      - cbn [forallb] in P. apply andb_prop in P. destruct P as [P0 P]. destruct (IH (S k) P) as [[j [J1 J2]]|[I1 I2]].
        + left. exists j. split; [simpl; lia|exact J2].
        + destruct (Rle_lt_dec (sq n (D (x k))) B) as [Le|Gt]; [left; exists k; split; [simpl; lia|exact Le]|right].
          assert (S0 : 0 <= Q2R s) by (rewrite <- Q2R_0; apply Qle_Rle, Qle_bool_iff; exact P0).
          cbn [total weighted]. rewrite Q2R_plus. assert (Q2R s * B <= Q2R s * sq n (D (x k))) by (apply Rmult_le_compat_l; lra).
          split; [lra|]. intros T0. destruct (Rle_lt_or_eq_dec _ _ S0) as [Sp|Sz].
          * assert (Q2R s * B < Q2R s * sq n (D (x k))) by (apply Rmult_lt_compat_l; lra). lra.
          * rewrite <- Sz in *. specialize (I2 ltac:(lra)). lra. }
    destruct (E shares 0%nat Pos) as [[j [J1 J2]]|[_ I2]]; [exists j; split; [lia|exact J2]|exfalso].
    rewrite (Qeq_eqR _ _ (Qeq_bool_eq _ _ One)), Q2R_1 in I2. specialize (I2 Rlt_0_1). lra.
  Qed.
End Quantities.

(** Strongly convex with mu = 0 is convex. *)
Lemma convex_is n f : convex f -> strongly_convex n f (Q2R 0).
Proof.
  intros C. unfold strongly_convex. rewrite Q2R_0. replace (fun x => f x - 0 / 2 * sq n x) with f; [exact C|].
  extensionality x. field.
Qed.

Lemma convex_scaled f k : convex f -> 0 <= k -> convex (fun x => k * f x).
Proof. intros C Hk x y t Ht. pose proof (Rmult_le_compat_l k _ _ Hk (C x y t Ht)). lra. Qed.

Lemma strongly_convex_scaled n f mu L : 0 < L -> strongly_convex n f (mu * L) -> strongly_convex n (fun x => / L * f x) mu.
Proof.
  intros HL C. unfold strongly_convex in *.
  replace (fun x => / L * f x - mu / 2 * sq n x) with (fun x => / L * (f x - mu * L / 2 * sq n x))
    by (extensionality x; field; lra).
  apply (convex_scaled (fun x => f x - mu * L / 2 * sq n x)); [exact C|apply inverse_nonneg; exact HL].
Qed.

Lemma smooth_unit n f D L : 0 < L -> smooth n f D L -> smooth n (fun x => / L * f x) (fun x i => / L * D x i) 1.
Proof.
  intros HL Sm. rewrite <- (Rinv_l L) by lra. apply smooth_scaled; [exact Sm|apply inverse_nonneg; exact HL].
Qed.

Lemma momentum_scaled beta1 beta2 (g : nat -> R) alpha k j :
  m beta1 beta2 (fun i => k * g i) alpha j = k * m beta1 beta2 g alpha j.
Proof.
  assert (A : forall j, a beta1 (fun i => k * g i) j = k * a beta1 g j).
  { induction j0 as [|i IH]; [simpl; ring|]. cbn [a]. rewrite IH. ring. }
  induction j as [|j IH]; [simpl; ring|]. cbn [m]. unfold u. rewrite IH, A. ring.
Qed.

(** *** E on SGD: the rows of its steps *)
Section E.
  Variables (c beta1 beta2 eta : Q).
  Fixpoint h_row (k : nat) : row :=
    match k with O => [] | S j => add (scale beta1 (h_row j)) (scale (1 - beta1) (basis j)) end.
  Fixpoint m_row (k : nat) : row :=
    match k with O => [] | S j => add (scale beta2 (m_row j)) (add (scale (1 - c) (basis j)) (scale c (h_row j))) end.
  Fixpoint moved_row (k : nat) : row := match k with O => [] | S j => add (moved_row j) (scale eta (m_row (S j))) end.
  Definition E_steps (N : nat) : list row := map moved_row (seq 0 (S N)).

  (** Algorithm 3 with the paper's two buffers; its momentum is not normalised: it is m / (1 - beta2). *)
  Definition E_run (step : R) (D : vec -> vec) (x g : nat -> vec) : Prop :=
    let alpha := - Q2R c / (1 - Q2R beta1) in
    (forall i, g 0%nat i = 0) /\ (forall k i, g (S k) i = D (x k) i)
    /\ forall k i, x (S k) i
         = x k i - step / (1 - Q2R beta2) * m (Q2R beta1) (Q2R beta2) (fun j => g j i) (fun _ => alpha) (S k).

  Lemma E_follows D x g N d : Q2R beta1 <> 1 -> Q2R beta2 <> 1 -> E_run (Q2R eta) D x g -> steps d = E_steps N -> follows d D x.
  Proof.
    intros N1 N2 (g0 & gS & xS) Sd k i Hk. rewrite Sd in *. unfold E_steps in *. rewrite map_length, seq_length in Hk.
    rewrite (nth_indep _ [] (moved_row 0)) by (rewrite map_length, seq_length; exact Hk).
    rewrite map_nth, seq_nth, Nat.add_0_l by exact Hk. clear Hk Sd. set (y := fun j => D (x j) i).
    assert (one_minus : forall q, Q2R (1 - q) = 1 - Q2R q) by (intros; rewrite Q2R_minus, Q2R_1; reflexivity).
    assert (Hh : forall j, ev (h_row j) y = h (Q2R beta1) (fun j => g j i) j).
    { induction j as [|j IH]; [reflexivity|]. cbn [h_row h]. rewrite ev_add, !ev_scale, ev_unit, IH, one_minus, gS. reflexivity. }
    assert (Hm : forall j, ev (m_row j) y * (1 - Q2R beta2)
      = m (Q2R beta1) (Q2R beta2) (fun j => g j i) (fun _ => - Q2R c / (1 - Q2R beta1)) j).
    { induction j as [|j IH]; [simpl; ring|]. cbn [m_row m]. rewrite !ev_add, !ev_scale, ev_unit, Hh, one_minus, <- IH.
      rewrite (one_buffer (Q2R beta1) (fun j => g j i)) by apply g0. unfold Adaptor.c. rewrite gS. unfold y. field. lra. }
    induction k as [|k IH]; [simpl; ring|]. cbn [moved_row]. rewrite ev_add, ev_scale, xS, <- Hm, IH. field. lra.
  Qed.

  (** In units of L: the run on f with the step eta / L is the run on f / L with the step eta. *)
  Lemma E_run_scaled D x g L : 0 < L -> E_run (Q2R eta / L) D x g ->
    E_run (Q2R eta) (fun y i => / L * D y i) x (fun k i => / L * g k i).
  Proof.
    intros HL (g0 & gS & xS). split; [|split].
    - intros i. rewrite g0. ring.
    - intros k i. rewrite gS. reflexivity.
    - intros k i. rewrite xS, momentum_scaled. unfold Rdiv. ring.
  Qed.
End E.

(** *** Stored certificates of E: a setting (c, beta1, beta2, eta, N) and its multipliers *)
Definition setting := (Q * Q * Q * Q * nat)%type.
Inductive certificate :=
  | OfValue (s : setting) (mu tau : Q) (l : list (point * point * Q)) (squares : list (Q * row))
  | OfGradient (s : setting) (tau : Q) (shares : list Q) (l : list (point * point * Q)) (squares : list (Q * row)).

Definition holds (cert : certificate) : Prop :=
  match cert with
  | OfValue (c, beta1, beta2, eta, N) mu tau _ _ => forall n f D L star x g, 0 < L ->
      smooth n f D L -> strongly_convex n f (Q2R mu * L) -> minimiser f star -> E_run c beta1 beta2 (Q2R eta / L) D x g ->
      f (x N) - f star <= Q2R tau * L * sq n (fun i => x 0%nat i - star i)
  | OfGradient (c, beta1, beta2, eta, N) tau _ _ _ => forall n f D L x g, 0 < L ->
      smooth n f D L -> E_run c beta1 beta2 (Q2R eta / L) D x g ->
      exists k, (k <= N)%nat /\ sq n (D (x k)) <= Q2R tau * L * (f (x 0%nat) - f (x N))
  end.

Definition below_1 (q : Q) : bool := negb (Qle_bool 1 q).
Definition accepted (cert : certificate) : bool :=
  match cert with
  | OfValue (c, beta1, beta2, eta, N) mu tau l squares => below_1 beta1 && below_1 beta2
      && check (Dual (StronglyConvex mu) (E_steps c beta1 beta2 eta N) (final_value N) start_distance tau l squares)
  | OfGradient (c, beta1, beta2, eta, N) tau shares l squares => below_1 beta1 && below_1 beta2
      && Nat.eqb (length shares) (S N) && forallb (Qle_bool 0) shares && Qeq_bool (total shares) 1
      && check (Dual JustSmooth (E_steps c beta1 beta2 eta N) (gradients shares) (fall N) tau l squares)
  end.

Lemma below_1_is q : below_1 q = true -> Q2R q <> 1.
Proof.
  intros H E. unfold below_1 in H. assert (L : (1 <= q)%Q) by (apply Rle_Qle; rewrite Q2R_1; lra).
  apply Qle_bool_iff in L. rewrite L in H. discriminate.
Qed.

Theorem accepted_holds cert : accepted cert = true -> holds cert.
Proof.
  destruct cert as [[[[[c beta1] beta2] eta] N] mu t l sqs|[[[[c beta1] beta2] eta] N] t shares l sqs];
    cbn [accepted holds]; rewrite !andb_true_iff; intros H.
  - destruct H as ((B1 & B2) & Ch). intros n f D L star x g HL Sm Sc Mi Run. apply E_run_scaled in Run; [|exact HL].
    set (f' := fun x => / L * f x). set (D' := fun x i => / L * D x i) in *.
    assert (Mi' : minimiser f' star) by (intros y; apply Rmult_le_compat_l; [apply inverse_nonneg; exact HL|apply Mi]).
    match type of Ch with check ?d = true => pose proof (certified d n f' D' star x Ch
      (conj (smooth_unit n f D L HL Sm) (conj (strongly_convex_scaled n f (Q2R mu) L HL Sc) Mi'))
      (E_follows c beta1 beta2 eta D' x _ N d (below_1_is _ B1) (below_1_is _ B2) Run eq_refl)) as K end.
    cbn [performance initial tau] in K. rewrite final_value_is, start_distance_is in K. unfold f' in K.
    apply Rmult_le_reg_l with (/ L); [apply Rinv_0_lt_compat; exact HL|].
    replace (/ L * (Q2R t * L * sq n (fun i => x 0%nat i - star i))) with (Q2R t * sq n (fun i => x 0%nat i - star i))
      by (field; lra). lra.
  - destruct H as (((((B1 & B2) & Le) & Sh) & To) & Ch). intros n f D L x g HL Sm Run. apply Nat.eqb_eq in Le.
    apply E_run_scaled in Run; [|exact HL]. set (f' := fun x => / L * f x). set (D' := fun x i => / L * D x i) in *.
    match type of Ch with check ?d = true => pose proof (certified d n f' D' (x 0%nat) x Ch (conj (smooth_unit n f D L HL Sm) I)
      (E_follows c beta1 beta2 eta D' x _ N d (below_1_is _ B1) (below_1_is _ B2) Run eq_refl)) as K end.
    cbn [performance initial tau] in K. rewrite gradients_are, fall_is in K.
    destruct (one_is_small n D' x shares _ Sh To K) as [k [Hk Bk]]. exists k. split; [lia|]. unfold D', f' in Bk.
    rewrite sq_scaled in Bk. apply Rmult_le_reg_l with (/ L * / L); [apply Rmult_lt_0_compat; apply Rinv_0_lt_compat; exact HL|].
    replace (/ L * / L * (Q2R t * L * (f (x 0%nat) - f (x N)))) with (Q2R t * (/ L * f (x 0%nat) - / L * f (x N)))
      by (field; lra). exact Bk.
Qed.
