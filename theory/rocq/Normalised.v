(** One step of ALTO by its length, which the layer factor fixes: layer l moves by at most eta phi_l along r, whatever the
    momentum is. On every path the objective falls by at least eta phi_l (psi_l |D_l| - errors); neither 1 / eps2 nor
    1 / eps3 occurs. LAMB is the case alpha = 0. *)
From Coq Require Import Reals Lra Lia List PeanoNat FunctionalExtensionality.
From Proofs Require Import Sums Vectors Smooth Adaptor Filters Lemmas Methods Tree TheoremN Algorithms Tracking.
Import ListNotations.
Local Open Scope R_scope.

(** What the spread of the preconditioner costs, from its least and its largest entry in a layer. *)
Definition psi (a b : R) : R := 2 * sqrt (a * b) / (a + b).

Lemma psi_is a b : 0 < a -> 0 < b -> let chi := b / a in psi a b = 2 * sqrt chi / (1 + chi).
Proof.
  intros Ha Hb chi. unfold psi, chi. replace (a * b) with (a * a * (b / a)) by (field; lra).
  rewrite sqrt_mult_alt, sqrt_square by nra. field. lra.
Qed.

Lemma psi_bounds a b : 0 < a -> 0 < b -> 0 < psi a b <= 1.
Proof.
  intros Ha Hb. assert (S : 0 < sqrt (a * b)) by (apply sqrt_lt_R0; nra).
  assert (Q : sqrt (a * b) * sqrt (a * b) = a * b) by (apply sqrt_sqrt; nra).
  unfold psi. split; [apply Rmult_lt_0_compat; [lra|apply Rinv_0_lt_compat; lra]|].
  apply Rmult_le_reg_r with (a + b); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l, Rmult_1_r, Rmult_1_l by lra.
  apply square_le; [lra|]. pose proof (square_nonneg (a - b)). nra.
Qed.

(** Wider bounds cost more. *)
Lemma psi_wider a b a' b' : 0 < a -> a <= a' -> a' <= b' -> b' <= b -> psi a b <= psi a' b'.
Proof.
  intros Ha H1 H2 H3. assert (S : sqrt (a * b) * sqrt (a * b) = a * b) by (apply sqrt_sqrt; nra).
  assert (S' : sqrt (a' * b') * sqrt (a' * b') = a' * b') by (apply sqrt_sqrt; nra).
  pose proof (sqrt_pos (a * b)). pose proof (sqrt_pos (a' * b')).
  set (x := sqrt (a * b)) in *. set (y := sqrt (a' * b')) in *.
  assert (K : x * (a' + b') <= y * (a + b)).
  { apply square_le; [nra|]. replace (x * (a' + b') * (x * (a' + b'))) with (a * b * ((a' + b') * (a' + b'))) by (rewrite <- S; ring).
    replace (y * (a + b) * (y * (a + b))) with (a' * b' * ((a + b) * (a + b))) by (rewrite <- S'; ring).
    (* (a' b - a b')(b b' - a a') >= 0 *)
    assert (a * b' <= a' * b) by (apply Rmult_le_compat; lra). assert (a * a' <= b * b') by (apply Rmult_le_compat; lra).
    assert (E : a' * b' * ((a + b) * (a + b)) - a * b * ((a' + b') * (a' + b')) = (a' * b - a * b') * (b * b' - a * a')) by ring.
    assert (0 <= (a' * b - a * b') * (b * b' - a * a')) by (apply Rmult_le_pos; lra). lra. }
  unfold psi. fold x y. apply Rmult_le_reg_r with ((a + b) * (a' + b')); [apply Rmult_lt_0_compat; lra|].
  replace (2 * x / (a + b) * ((a + b) * (a' + b'))) with (2 * (x * (a' + b'))) by (field; lra).
  replace (2 * y / (a' + b') * ((a + b) * (a' + b'))) with (2 * (y * (a + b))) by (field; lra). lra.
Qed.

Lemma psi_scaled t a b : 0 < t -> 0 < a -> 0 < b -> psi (t * a) (t * b) = psi a b.
Proof.
  intros Ht Ha Hb. unfold psi. replace (t * a * (t * b)) with (t * t * (a * b)) by ring.
  rewrite sqrt_mult_alt, sqrt_square by nra. replace (t * a + t * b) with (t * (a + b)) by ring. field. split; lra.
Qed.

Section Layers.
  Variables (n : nat) (layer : nat -> nat) (N : nat).
  Hypothesis layers : forall j, (j < n)%nat -> (layer j < N)%nat.

  Lemma one_layer l x : (l < N)%nat -> sum N (fun k => if Nat.eqb l k then x else 0) = x.
  Proof.
    clear. induction N as [|M IH]; intros H; [lia|]. rewrite sum_S. destruct (Nat.eq_dec l M) as [->|Ne].
    - rewrite Nat.eqb_refl, (sum_ext M _ (fun _ => 0)), sum_zero; [ring|].
      intros i Hi. destruct (Nat.eqb_spec M i); [lia|reflexivity].
    - destruct (Nat.eqb_spec l M); [lia|]. rewrite IH by lia. ring.
  Qed.

  (** The layers are a partition. *)
  Lemma over_layers x : sum N (fun l => sum n (within layer l x)) = sum n x.
  Proof. rewrite sum_exchange. apply sum_ext; intros j Hj. apply one_layer, layers, Hj. Qed.

  Definition dot_in (l : nat) (x y : vec) : R := dot n (within layer l x) (within layer l y).

  Lemma dot_in_is l x y : dot_in l x y = sum n (within layer l (fun j => x j * y j)).
  Proof. apply sum_ext; intros j _. unfold within. destruct (Nat.eqb _ _); ring. Qed.

  Lemma over_layers_dot x y : sum N (fun l => dot_in l x y) = dot n x y.
  Proof. unfold dot. rewrite <- over_layers. apply sum_ext; intros; apply dot_in_is. Qed.

  Lemma over_layers_sq x : sum N (fun l => norm_in n layer l x * norm_in n layer l x) = sq n x.
  Proof.
    unfold sq. rewrite <- over_layers. apply sum_ext; intros l _. unfold norm_in. rewrite norm_square.
    unfold sq. apply sum_ext; intros j _. unfold within. destruct (Nat.eqb _ _); ring.
  Qed.

  (** *** One step *)
  Variables (f : vec -> R) (D : vec -> vec) (L : R).
  Hypotheses (L_nonneg : 0 <= L) (f_smooth : smooth n f D L).
  Variables (eta gamma : R) (theta m W : vec) (phi eps2 a b : nat -> R).
  Hypotheses (eta_nonneg : 0 <= eta) (gamma_nonneg : 0 <= gamma).
  Hypotheses (phi_nonneg : forall l, 0 <= phi l) (eps2_nonneg : forall l, 0 <= eps2 l).
  Hypothesis ends : forall l, 0 < a l <= b l.
  Hypothesis between : forall j, (j < n)%nat -> a (layer j) <= W j <= b (layer j).
  Let d := D theta.
  Let r : vec := fun j => m j / W j + gamma * theta j.
  Let e : vec := fun j => m j - d j.
  Let Wtheta : vec := fun j => W j * theta j.
  Let size l x := norm_in n layer l x.

  (** By how much the objective falls, over eta, up to the curvature. *)
  Definition falls_by (l : nat) : R :=
    phi l * (psi (a l) (b l) * norm_in n layer l (D theta)
             - (1 + psi (a l) (b l)) * (norm_in n layer l (fun j => m j - D theta j)
                                        + gamma * norm_in n layer l (fun j => W j * theta j))
             - psi (a l) (b l) * eps2 l * phi l * b l).

  Let M : vec := fun j => W j * r j.
  Lemma W_pos j : (j < n)%nat -> 0 < W j.
  Proof. intros Hj. pose proof (ends (layer j)). pose proof (between j Hj). lra. Qed.

  Lemma M_is j : (j < n)%nat -> M j = m j + gamma * (W j * theta j).
  Proof. intros Hj. unfold M, r. pose proof (W_pos j Hj). field. lra. Qed.

  Lemma size_nonneg l x : 0 <= size l x.
  Proof. apply norm_nonneg. Qed.

  Lemma alignment l : psi (a l) (b l) * (size l M * size l r) <= dot_in l M r.
  Proof.
    destruct (ends l) as [Ha Hab].
    assert (K : size l M * size l M + a l * b l * (size l r * size l r) <= (a l + b l) * dot_in l M r).
    { unfold size, norm_in. rewrite !norm_square. unfold sq, dot_in, dot. rewrite <- !sum_scal, <- sum_plus.
      apply sum_le; intros j Hj. unfold within. destruct (Nat.eqb_spec (layer j) l) as [<-|]; [|lra].
      destruct (between j Hj). unfold M.
      assert (0 <= (W j - a (layer j)) * (b (layer j) - W j) * (r j * r j))
        by (apply Rmult_le_pos; [apply Rmult_le_pos; lra|apply square_nonneg]). lra. }
    assert (S : sqrt (a l * b l) * sqrt (a l * b l) = a l * b l) by (apply sqrt_sqrt; nra).
    set (t := sqrt (a l * b l)) in *. unfold psi. fold t. apply Rmult_le_reg_l with (a l + b l); [lra|].
    replace ((a l + b l) * (2 * t / (a l + b l) * (size l M * size l r))) with (2 * (size l M * (t * size l r))) by (field; lra).
    pose proof (square_nonneg (size l M - t * size l r)). rewrite <- S in K. lra.
  Qed.

  (** What the momentum and the decay turn away. *)
  Let lost l := size l e + gamma * size l Wtheta.

  Lemma lost_nonneg l : 0 <= lost l.
  Proof. pose proof (size_nonneg l e). pose proof (size_nonneg l Wtheta). unfold lost. nra. Qed.

  Lemma turned l : size l (fun j => M j - d j) <= lost l.
  Proof.
    unfold size, norm_in. eapply Rle_trans with (norm n (fun j => within layer l e j + gamma * within layer l Wtheta j)).
    - apply Req_le. unfold norm. f_equal. apply sq_ext; intros j Hj. unfold within, e, Wtheta.
      destruct (Nat.eqb _ _); [|ring]. rewrite M_is by exact Hj. ring.
    - eapply Rle_trans; [apply norm_triangle|]. rewrite norm_scaled by exact gamma_nonneg. apply Rle_refl.
  Qed.

  Lemma longer l : size l d <= size l M + lost l.
  Proof.
    pose proof (turned l). unfold size, norm_in in *.
    replace (within layer l d) with (fun j => within layer l M j + - within layer l (fun j => M j - d j) j)
      by (extensionality j; unfold within; destruct (Nat.eqb _ _); ring).
    eapply Rle_trans; [apply norm_triangle|]. apply Rplus_le_compat_l.
    eapply Rle_trans; [|eassumption]. apply Req_le. unfold norm, sq. f_equal. apply sum_ext; intros; ring.
  Qed.

  Let q l := psi (a l) (b l) * size l d - (1 + psi (a l) (b l)) * lost l.

  Lemma direction_is_good l : q l * size l r <= dot_in l d r.
  Proof.
    destruct (psi_bounds (a l) (b l)) as [P0 _]; [apply ends|destruct (ends l); lra|].
    pose proof (alignment l) as A. pose proof (longer l) as Lo. pose proof (size_nonneg l r) as R0.
    assert (E : dot_in l d r = dot_in l M r - dot_in l (fun j => M j - d j) r).
    { unfold dot_in, dot. rewrite <- sum_minus. apply sum_ext; intros j _. unfold within. destruct (Nat.eqb _ _); ring. }
    assert (C : dot_in l (fun j => M j - d j) r <= lost l * size l r).
    { eapply Rle_trans; [apply Rle_abs|]. eapply Rle_trans; [apply cauchy_schwarz|].
      apply Rmult_le_compat_r; [exact R0|apply turned]. }
    assert (psi (a l) (b l) * (size l d * size l r) <= psi (a l) (b l) * ((size l M + lost l) * size l r))
      by (apply Rmult_le_compat_l; [lra|apply Rmult_le_compat_r; assumption]).
    unfold q. lra.
  Qed.

  Lemma M_at_most l : size l M <= b l * size l r.
  Proof.
    destruct (ends l). unfold size, norm_in. rewrite <- norm_scaled by lra. unfold norm. apply sqrt_le_1_alt.
    unfold sq. apply sum_le; intros j Hj. unfold within. destruct (Nat.eqb_spec (layer j) l) as [<-|]; [|lra].
    destruct (between j Hj). pose proof (W_pos j Hj). unfold M.
    replace (W j * r j * (W j * r j)) with (W j * W j * (r j * r j)) by ring.
    replace (b (layer j) * r j * (b (layer j) * r j)) with (b (layer j) * b (layer j) * (r j * r j)) by ring.
    apply Rmult_le_compat_r; [apply square_nonneg|]. apply Rmult_le_compat; lra.
  Qed.

  Lemma bracket_at_most l : q l <= psi (a l) (b l) * size l M - lost l.
  Proof.
    destruct (psi_bounds (a l) (b l)) as [P0 _]; [apply ends|destruct (ends l); lra|].
    pose proof (longer l) as Lo. apply (Rmult_le_compat_l (psi (a l) (b l))) in Lo; [|lra]. unfold q. lra.
  Qed.

  (** The factor of layer l; where r is 0 its value does not matter. *)
  Let factor l := phi l / (size l r + eps2 l * phi l).

  Lemma r_vanishes l : size l r = 0 -> dot_in l d r = 0 /\ dot_in l r r = 0.
  Proof.
    intros Z. pose proof (cauchy_schwarz n (within layer l d) (within layer l r)) as C.
    fold (norm_in n layer l r) in C. change (norm_in n layer l r) with (size l r) in C. rewrite Z, Rmult_0_r in C.
    split.
    - unfold dot_in. destruct (Req_dec (dot n (within layer l d) (within layer l r)) 0) as [E|E]; [exact E|].
      pose proof (Rabs_pos_lt _ E). lra.
    - change (dot_in l r r) with (sq n (within layer l r)). rewrite <- norm_square.
      change (norm n (within layer l r)) with (size l r). rewrite Z. ring.
  Qed.

  Lemma layer_falls l : eta * falls_by l <= eta * factor l * dot_in l d r.
  Proof.
    rewrite Rmult_assoc. apply Rmult_le_compat_l; [exact eta_nonneg|].
    change (falls_by l) with (phi l * (q l - psi (a l) (b l) * eps2 l * phi l * b l)).
    destruct (psi_bounds (a l) (b l)) as [P0 _]; [apply ends|destruct (ends l); lra|]. destruct (ends l) as [Ha Hab].
    pose proof (phi_nonneg l) as F0. pose proof (eps2_nonneg l) as E0. pose proof (lost_nonneg l) as L0.
    pose proof (bracket_at_most l) as Bq. pose proof (M_at_most l) as Mb. pose proof (direction_is_good l) as G.
    assert (EF : 0 <= eps2 l * phi l) by (apply Rmult_le_pos; assumption).
    assert (C0 : 0 <= psi (a l) (b l) * eps2 l * phi l * b l) by (apply Rmult_le_pos; [apply Rmult_le_pos; [apply Rmult_le_pos|]|]; lra).
    destruct (Rle_lt_or_eq_dec _ _ (size_nonneg l r)) as [Pos|Zero].
    - set (R := size l r) in *. unfold factor. fold R.
      assert (Dn : 0 < R + eps2 l * phi l) by lra.
      replace (phi l / (R + eps2 l * phi l) * dot_in l d r) with (phi l * (dot_in l d r / (R + eps2 l * phi l))) by (field; lra).
      apply Rmult_le_compat_l; [exact F0|]. apply Rmult_le_reg_r with (R + eps2 l * phi l); [exact Dn|].
      unfold Rdiv. rewrite (Rmult_assoc _ (/ _)), Rinv_l, Rmult_1_r by lra. eapply Rle_trans; [|exact G].
      assert (psi (a l) (b l) * size l M <= psi (a l) (b l) * (b l * R)) by (apply Rmult_le_compat_l; lra).
      assert (X : eps2 l * phi l * q l <= eps2 l * phi l * (psi (a l) (b l) * (b l * R)))
        by (apply Rmult_le_compat_l; lra).
      assert (0 <= psi (a l) (b l) * eps2 l * phi l * b l * (eps2 l * phi l)) by (apply Rmult_le_pos; assumption). lra.
    - symmetry in Zero. destruct (r_vanishes l Zero) as [-> _]. rewrite Rmult_0_r. rewrite Zero, Rmult_0_r in Mb.
      pose proof (size_nonneg l M). assert (size l M = 0) as Mz by lra. rewrite Mz, Rmult_0_r in Bq.
      assert (0 <= phi l * (psi (a l) (b l) * eps2 l * phi l * b l - q l)) by (apply Rmult_le_pos; lra). lra.
  Qed.

  Lemma layer_length l : eta * factor l * (eta * factor l) * dot_in l r r <= eta * eta * (phi l * phi l).
  Proof.
    replace (eta * factor l * (eta * factor l) * dot_in l r r) with (eta * eta * (factor l * factor l * dot_in l r r)) by ring.
    apply Rmult_le_compat_l; [apply square_nonneg|]. pose proof (phi_nonneg l) as F0. pose proof (eps2_nonneg l) as E0.
    assert (EF : 0 <= eps2 l * phi l) by (apply Rmult_le_pos; assumption).
    destruct (Rle_lt_or_eq_dec _ _ (size_nonneg l r)) as [Pos|Zero].
    - assert (dot_in l r r = size l r * size l r) as -> by (symmetry; apply norm_square).
      unfold factor. set (R := size l r) in *.
      replace (phi l / (R + eps2 l * phi l) * (phi l / (R + eps2 l * phi l)) * (R * R))
        with (phi l * (R / (R + eps2 l * phi l)) * (phi l * (R / (R + eps2 l * phi l)))) by (field; lra).
      assert (0 <= R / (R + eps2 l * phi l) <= 1).
      { split; [apply Rmult_le_pos; [lra|apply inverse_nonneg; lra]|].
        apply Rmult_le_reg_r with (R + eps2 l * phi l); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
      assert (0 <= phi l * (R / (R + eps2 l * phi l)) <= phi l * 1)
        by (split; [apply Rmult_le_pos; lra|apply Rmult_le_compat_l; lra]).
      apply Rmult_le_compat; lra.
    - symmetry in Zero. destruct (r_vanishes l Zero) as [_ ->]. rewrite Rmult_0_r. apply square_nonneg.
  Qed.

  Variable after : vec.
  Hypothesis after_is : forall j, (j < n)%nat -> after j = theta j - eta * (factor (layer j) * r j).

  Lemma along_layers x : dot n x (fun j => after j - theta j) = - sum N (fun l => eta * factor l * dot_in l x r).
  Proof.
    rewrite <- over_layers_dot, <- (Rmult_1_l (sum N (fun l => eta * _ * _))), <- Ropp_mult_distr_l_reverse, <- sum_scal.
    apply sum_ext; intros l _. rewrite !dot_in_is, <- !sum_scal. apply sum_ext; intros j Hj. unfold within.
    destruct (Nat.eqb_spec (layer j) l) as [<-|]; [rewrite after_is by exact Hj|]; ring.
  Qed.

  Lemma layer_moves l :
    sq n (within layer l (fun j => after j - theta j)) <= eta * eta * (phi l * phi l).
  Proof.
    eapply Rle_trans; [|apply layer_length]. rewrite dot_in_is, <- sum_scal. apply Req_le, sum_ext; intros j Hj.
    unfold within. destruct (Nat.eqb_spec (layer j) l) as [<-|]; [rewrite after_is by exact Hj|]; ring.
  Qed.

  Lemma step_length : sq n (fun j => after j - theta j) <= eta * eta * sum N (fun l => phi l * phi l).
  Proof.
    rewrite <- sum_scal, <- over_layers_sq. apply sum_le; intros l _. unfold norm_in. rewrite norm_square. apply layer_moves.
  Qed.

  Theorem normalised_step :
    f after <= f theta - eta * sum N falls_by + L / 2 * (eta * eta) * sum N (fun l => phi l * phi l).
  Proof.
    pose proof (smooth_upper n f D L f_smooth theta after) as U. fold d in U. rewrite along_layers in U.
    pose proof step_length as Mv. apply (Rmult_le_compat_l (L / 2)) in Mv; [|lra].
    assert (F : sum N (fun l => eta * falls_by l) <= sum N (fun l => eta * factor l * dot_in l d r))
      by (apply sum_le; intros; apply layer_falls).
    rewrite sum_scal in F. lra.
  Qed.
End Layers.

(** *** The step of ALTO to the letter, and with the library's factor 1 in a layer of norm 0 *)
Section Method.
  Variables (n : nat) (layer : nat -> nat) (N : nat).
  Hypothesis layers : forall j, (j < n)%nat -> (layer j < N)%nat.
  Variables (library corrected : bool) (beta2 beta3 eps1 eps2 eps3 gamma : R).

  Definition factor_one (theta : vec) (l : nat) : bool :=
    if library then (if Req_EM_T (norm_in n layer l theta) 0 then true else false) else false.
  Definition step_by_length (k : nat) (theta m v : vec) : vec := fun i =>
    if factor_one theta (layer i) then Methods.r corrected beta2 beta3 eps1 gamma k theta m v i
    else Methods.update n layer true corrected beta2 beta3 eps1 eps2 eps3 gamma k theta m v i.

  (** What W and phi stand for. *)
  Definition width (k : nat) (v : vec) : vec := fun j => bias corrected beta2 k * Methods.W corrected beta3 eps1 k v j.
  Definition phi (k : nat) (theta m v : vec) (l : nat) : R :=
    if factor_one theta l then norm_in n layer l (Methods.r corrected beta2 beta3 eps1 gamma k theta m v)
    else norm_in n layer l theta + eps3.
  Definition shortening (theta : vec) (l : nat) : R := if factor_one theta l then 0 else eps2.

  Variables (f : vec -> R) (D : vec -> vec) (L eta : R).
  Hypotheses (L_nonneg : 0 <= L) (f_smooth : smooth n f D L) (eta_nonneg : 0 <= eta).
  Hypotheses (gamma_nonneg : 0 <= gamma) (E2 : 0 <= eps2) (E3 : 0 <= eps3).

  (** By how much a step with these moments lowers the objective, over eta, up to the curvature. *)
  Definition falls_in (k : nat) (theta m v : vec) (a b : nat -> R) (l : nat) : R :=
    falls_by n layer D gamma theta m (width k v) (phi k theta m v) (shortening theta) a b l.

  Variables (k : nat) (theta m v : vec) (a b : nat -> R).
  Hypothesis ends : forall l, 0 < a l <= b l.
  Hypothesis between : forall j, (j < n)%nat -> a (layer j) <= width k v j <= b (layer j).
  Let r := Methods.r corrected beta2 beta3 eps1 gamma k theta m v.
  Let after : vec := fun i => theta i - eta * step_by_length k theta m v i.

  Lemma phi_nonneg l : 0 <= phi k theta m v l.
  Proof. unfold phi. destruct (factor_one _ _); [apply norm_nonneg|]. pose proof (norm_nonneg n (within layer l theta)). unfold norm_in. lra. Qed.

  Lemma shortening_nonneg l : 0 <= shortening theta l.
  Proof. unfold shortening. destruct (factor_one _ _); lra. Qed.

  Lemma r_is : r = fun j => m j / width k v j + gamma * theta j.
  Proof. extensionality j. unfold r, Methods.r, ratio, width, Rdiv. rewrite Rinv_mult. ring. Qed.

  Lemma inside l x j : (j < n)%nat -> layer j = l -> norm_in n layer l x = 0 -> x j = 0.
  Proof.
    intros Hj <- Z. assert (S : sq n (within layer (layer j) x) = 0)
      by (rewrite <- norm_square; change (norm n (within layer (layer j) x)) with (norm_in n layer (layer j) x); rewrite Z; ring).
    pose proof (sum_one n j (fun i => within layer (layer j) x i * within layer (layer j) x i) Hj
      ltac:(intros; apply square_nonneg)) as O. cbv beta in O. unfold sq in S. rewrite S in O.
    unfold within in O. rewrite Nat.eqb_refl in O. pose proof (square_nonneg (x j)). apply Rsqr_0_uniq. unfold Rsqr. lra.
  Qed.

  Lemma step_is j : (j < n)%nat ->
    after j = theta j - eta * (phi k theta m v (layer j) / (norm_in n layer (layer j) (fun j => m j / width k v j + gamma * theta j)
      + shortening theta (layer j) * phi k theta m v (layer j)) * (m j / width k v j + gamma * theta j)).
  Proof.
    intros Hj. rewrite <- r_is. unfold after. f_equal. f_equal.
    change (m j / width k v j + gamma * theta j) with ((fun j => m j / width k v j + gamma * theta j) j). rewrite <- r_is.
    unfold step_by_length, phi, shortening. destruct (factor_one theta (layer j)).
    - fold r. destruct (Req_dec (norm_in n layer (layer j) r) 0) as [Z|NZ].
      + rewrite (inside (layer j) r j Hj eq_refl Z). ring.
      + field. intro Z. apply NZ. lra.
    - reflexivity.
  Qed.

  Theorem falls :
    f after <= f theta - eta * sum N (falls_in k theta m v a b)
               + L / 2 * (eta * eta) * sum N (fun l => phi k theta m v l * phi k theta m v l).
  Proof.
    apply (normalised_step n layer N layers f D L L_nonneg f_smooth eta gamma theta m (width k v) (phi k theta m v)
      (shortening theta) a b eta_nonneg gamma_nonneg phi_nonneg shortening_nonneg ends between after step_is).
  Qed.

  Theorem steps_have_length_phi :
    sq n (fun j => after j - theta j) <= eta * eta * sum N (fun l => phi k theta m v l * phi k theta m v l).
  Proof. apply (step_length n layer N layers D eta gamma theta m (width k v) (phi k theta m v) (shortening theta) phi_nonneg shortening_nonneg after step_is). Qed.

  (** So the weight of a layer changes by at most a factor 1 + eta. *)
  Lemma size_changes l :
    Rabs (norm_in n layer l after - norm_in n layer l theta) <= eta * phi k theta m v l.
  Proof.
    assert (Mv : norm_in n layer l (fun j => after j - theta j) <= eta * phi k theta m v l).
    { pose proof (phi_nonneg l). apply square_le; [apply Rmult_le_pos; assumption|]. unfold norm_in. rewrite norm_square.
      eapply Rle_trans; [apply (layer_moves n layer D eta gamma theta m (width k v) (phi k theta m v) (shortening theta)
        phi_nonneg shortening_nonneg after step_is)|]. apply Req_le. ring. }
    apply Rabs_le. split.
    - assert (Tr : norm_in n layer l theta <= norm_in n layer l after + norm_in n layer l (fun j => after j - theta j)).
      { unfold norm_in. replace (norm n (within layer l (fun j => after j - theta j)))
          with (norm n (fun j => - within layer l (fun j => after j - theta j) j))
          by (unfold norm, sq; f_equal; apply sum_ext; intros; ring).
        eapply Rle_trans; [|apply norm_triangle]. apply Req_le. f_equal. extensionality j. unfold within.
        destruct (Nat.eqb _ _); ring. }
      lra.
    - assert (Tr : norm_in n layer l after <= norm_in n layer l theta + norm_in n layer l (fun j => after j - theta j)).
      { unfold norm_in. eapply Rle_trans; [|apply norm_triangle]. apply Req_le. f_equal. extensionality j. unfold within.
        destruct (Nat.eqb _ _); ring. }
      lra.
  Qed.
End Method.

(** Of a layer that begins at 0, phi stays below eps3 (1 + eta)^k, whatever its gradient is. *)
Theorem small_layer {S : Type} (G : list S -> vec -> S -> vec) n layer corrected
    alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta start H s l :
  0 <= eta -> 0 <= eps2 -> 0 <= eps3 ->
  let size H := norm_in n layer l (theta (run G alpha beta1 beta2 beta3 eta start
    (step_by_length n layer false corrected beta2 beta3 eps1 eps2 eps3 gamma) H)) + eps3 in
  (1 - eta) * size H <= size (s :: H) <= (1 + eta) * size H /\ size H <= (norm_in n layer l start + eps3) * (1 + eta) ^ length H.
Proof.
  intros He H2 H3 size.
  assert (One : forall H s, (1 - eta) * size H <= size (s :: H) <= (1 + eta) * size H).
  { clear H s. intros H s. set (z := run G alpha beta1 beta2 beta3 eta start
      (step_by_length n layer false corrected beta2 beta3 eps1 eps2 eps3 gamma)).
    pose proof (size_changes n layer false corrected beta2 beta3 eps1 eps2 eps3 gamma (fun _ _ => 0) eta He H2 H3
      (Datatypes.S (length H)) (theta (z H)) (m (z (s :: H))) (v (z (s :: H))) l) as C.
    change (phi n layer false corrected beta2 beta3 eps1 eps3 gamma (Datatypes.S (length H)) (theta (z H)) (m (z (s :: H)))
      (v (z (s :: H))) l) with (size H) in C.
    change (fun i => theta (z H) i - eta * step_by_length n layer false corrected beta2 beta3 eps1 eps2 eps3 gamma
      (Datatypes.S (length H)) (theta (z H)) (m (z (s :: H))) (v (z (s :: H))) i) with (theta (z (s :: H))) in C.
    assert (E : forall K, norm_in n layer l (theta (z K)) = size K - eps3) by (intros; unfold size; fold z; ring).
    rewrite !E in C.
    unfold Rabs in C. destruct (Rcase_abs _); lra. }
  split; [apply One|]. induction H as [|s' H IH]; [simpl; unfold size; simpl; lra|].
  destruct (One H s') as [_ U]. simpl. apply (Rmult_le_compat_l (1 + eta)) in IH; lra.
Qed.

(** On every path of a run, whatever the gradients are. *)
Theorem alto_falls {S : Type} (G : list S -> vec -> S -> vec) n layer N library corrected
    alpha beta1 beta2 beta3 eps1 eps2 eps3 gamma eta start f D L (a b : nat -> R) H s :
  (forall j, (j < n)%nat -> (layer j < N)%nat) -> 0 <= L -> smooth n f D L -> 0 <= eta -> 0 <= gamma -> 0 <= eps2 -> 0 <= eps3 ->
  let z := run G alpha beta1 beta2 beta3 eta start (step_by_length n layer library corrected beta2 beta3 eps1 eps2 eps3 gamma) in
  let k := Datatypes.S (length H) in
  let w := width corrected beta2 beta3 eps1 k (v (z (s :: H))) in
  let size l := phi n layer library corrected beta2 beta3 eps1 eps3 gamma k (theta (z H)) (m (z (s :: H))) (v (z (s :: H))) l in
  (forall l, 0 < a l <= b l) -> (forall j, (j < n)%nat -> a (layer j) <= w j <= b (layer j)) ->
  f (theta (z (s :: H)))
  <= f (theta (z H))
     - eta * sum N (falls_in n layer library corrected beta2 beta3 eps1 eps2 eps3 gamma D k
                      (theta (z H)) (m (z (s :: H))) (v (z (s :: H))) a b)
     + L / 2 * (eta * eta) * sum N (fun l => size l * size l).
Proof.
  intros Hl HL Sm He Hg H2 H3 z k w size Ha Hb.
  exact (falls n layer N Hl library corrected beta2 beta3 eps1 eps2 eps3 gamma f D L eta HL Sm He Hg H2 H3 k
    (theta (z H)) (m (z (s :: H))) (v (z (s :: H))) a b Ha Hb).
Qed.
