(** The adaptor E on sequences of numbers, coordinate by coordinate: its identities.
    Step k = 1, 2, ... has the gradient g k; g 0 = 0. Vectors are functions on any index type (last section). *)
From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Proofs Require Import Sums.
Local Open Scope R_scope.

Section Sequences.
  Variables (beta1 beta2 beta3 : R) (g : nat -> R).
  Variable alpha : nat -> R.                       (* alpha_k may vary *)

  (** As the paper has it, with a_0 = 0: two buffers, a and the previous gradient. *)
  Fixpoint a (k : nat) : R :=
    match k with O => 0 | S j => beta1 * a j + (1 - beta1) * (g (S j) - g j) end.

  (** The slow average of the gradient. *)
  Fixpoint h (k : nat) : R :=
    match k with O => 0 | S j => beta1 * h j + (1 - beta1) * g (S j) end.

  Definition u (k : nat) : R := g k + alpha k * a k.
  Definition c (k : nat) : R := - alpha k * (1 - beta1).

  (** The two moments of u, without bias correction. *)
  Fixpoint m (k : nat) : R :=
    match k with O => 0 | S j => beta2 * m j + (1 - beta2) * u (S j) end.
  Fixpoint v (k : nat) : R :=
    match k with O => 0 | S j => beta3 * v j + (1 - beta3) * (u (S j) * u (S j)) end.

  Hypothesis g0 : g 0 = 0.

  Theorem exploration_is_difference k : a (S k) = h (S k) - h k.
  Proof.
    induction k; [simpl; rewrite g0; ring|].
    change (a (S (S k))) with (beta1 * a (S k) + (1 - beta1) * (g (S (S k)) - g (S k))).
    rewrite IHk. simpl. ring.
  Qed.

  Theorem one_buffer k : u (S k) = (1 - c (S k)) * g (S k) + c (S k) * h k.
  Proof. unfold u, c. rewrite exploration_is_difference. simpl. ring. Qed.

  Theorem transport_varying (Hb : 1 - beta2 <> 0) k :
    g (S k) - m (S k)
      = beta2 / (1 - beta2) * (m (S k) - m k) - alpha (S k) * (h (S k) - h k).
  Proof.
    assert (E : g (S k) = u (S k) - alpha (S k) * (h (S k) - h k)).
    { unfold u. rewrite exploration_is_difference. ring. }
    rewrite E. simpl. field. exact Hb.
  Qed.

  (** The same summed against any x_k, by parts. *)
  Theorem abel_varying (Hb : 1 - beta2 <> 0) (x : nat -> R) T :
    let b := beta2 / (1 - beta2) in
    sum T (fun k => (g (S k) - m (S k)) * x (S k))
    = b * (m T * x T + sum T (fun k => m k * (x k - x (S k))))
      - (alpha T * h T * x T
         + sum T (fun k => alpha (S k) * h k * (x k - x (S k)))
         + sum T (fun k => (alpha k - alpha (S k)) * h k * x k)).
  Proof.
    intros b. induction T as [|T IH]; [simpl; ring|].
    rewrite !sum_S, IH, transport_varying by exact Hb. fold b. ring.
  Qed.
End Sequences.

(** Only the past counts. *)
Lemma average_local beta1 g g' k : (forall j, (j <= k)%nat -> g j = g' j) ->
  a beta1 g k = a beta1 g' k /\ h beta1 g k = h beta1 g' k.
Proof.
  induction k as [|k IH]; intros H; [split; reflexivity|].
  destruct IH as [Ea Eh]; [intros; apply H; lia|]. simpl. rewrite Ea, Eh, !H by lia. split; reflexivity.
Qed.

Lemma moments_local beta1 beta2 beta3 g g' alpha k : (forall j, (j <= k)%nat -> g j = g' j) ->
  m beta1 beta2 g alpha k = m beta1 beta2 g' alpha k /\ v beta1 beta3 g alpha k = v beta1 beta3 g' alpha k.
Proof.
  induction k as [|k IH]; intros H; [split; reflexivity|].
  destruct IH as [Em Ev]; [intros; apply H; lia|].
  assert (Eu : u beta1 g alpha (S k) = u beta1 g' alpha (S k)).
  { unfold u. destruct (average_local beta1 g g' (S k) H) as [Ea _]. rewrite Ea, H by lia. reflexivity. }
  simpl. rewrite Em, Ev, Eu. split; reflexivity.
Qed.

Theorem slow_average (alpha : nat -> R) beta1 (g : nat -> R) k : g 0%nat = 0 ->
  let c_k := - alpha (S k) * (1 - beta1) in
  a beta1 g (S k) = h beta1 g (S k) - h beta1 g k
  /\ a beta1 g (S k) = (1 - beta1) * (g (S k) - h beta1 g k)
  /\ u beta1 g alpha (S k) = (1 - c_k) * g (S k) + c_k * h beta1 g k.
Proof.
  intros g0 c_k. rewrite exploration_is_difference by exact g0. split; [reflexivity|split].
  - simpl. ring.
  - apply one_buffer. exact g0.
Qed.

(** *** Constant alpha *)
Section Constant.
  Variables (alpha beta1 beta2 : R) (g : nat -> R).
  Hypothesis g0 : g 0 = 0.
  Let constant := fun _ : nat => alpha.
  Let c0 := - alpha * (1 - beta1).
  Let M := m beta1 beta2 g constant.

  (** T_k = b m_k - alpha h_k, b = beta2 / (1 - beta2): how far m lags behind g in all. *)
  Definition lag (k : nat) : R := beta2 / (1 - beta2) * m beta1 beta2 g (fun _ => alpha) k - alpha * h beta1 g k.

  Theorem transport k : 1 - beta2 <> 0 -> g (S k) - M (S k) = lag (S k) - lag k.
  Proof. intros Hb. unfold lag, M. rewrite transport_varying; auto. unfold constant. ring. Qed.

  (** The virtual iterate of ESGD takes plain gradient steps. *)
  Theorem virtual_iterate (eta : R) (theta : nat -> R) k : 1 - beta2 <> 0 ->
    (forall j, theta (S j) = theta j - eta * M (S j)) ->
    theta (S k) - eta * lag (S k) = (theta k - eta * lag k) - eta * g (S k).
  Proof. intros Hb step. rewrite step. pose proof (transport k Hb). nra. Qed.

  (** Quasi-hyperbolic momentum: nu = c / beta1. *)
  Theorem quasi_hyperbolic k : beta1 <> 0 ->
    u beta1 g constant (S k) = (1 - c0 / beta1) * g (S k) + c0 / beta1 * h beta1 g (S k).
  Proof. intros Hb. rewrite one_buffer by exact g0. unfold c, constant, c0. simpl. field. exact Hb. Qed.

  (** The momentum of u is a mixture of two averages of the gradient. *)
  Theorem two_averages k : beta1 <> beta2 ->
    let w := c0 * (1 - beta2) / (beta1 - beta2) in
    M k = (1 - w) * h beta2 g k + w * h beta1 g k.
  Proof.
    intros Hb w. assert (Hd : beta1 - beta2 <> 0) by lra.
    induction k as [|k IH]; [unfold M; simpl; ring|].
    change (M (S k)) with (beta2 * M k + (1 - beta2) * u beta1 g constant (S k)).
    rewrite one_buffer by exact g0. rewrite IH. unfold c, constant, w, c0. simpl. field. exact Hd.
  Qed.
End Constant.

(** *** Known methods that are E *)
Section Family.
  Variables (beta1 : R) (g : nat -> R).
  Hypothesis g0 : g 0%nat = 0.

  (** Heavy ball: the step is the average h itself. *)
  Theorem heavy_ball k : 1 - beta1 <> 0 ->
    let alpha := - (beta1 / (1 - beta1)) in u beta1 g (fun _ => alpha) (S k) = h beta1 g (S k).
  Proof. intros Hb alpha. rewrite one_buffer by exact g0. unfold c, alpha. simpl. field. exact Hb. Qed.

  (** Nesterov's method: (1 - beta1) g + beta1 h, both at step k. *)
  Theorem nesterov k : 1 - beta1 <> 0 ->
    let alpha := - (beta1 * beta1 / (1 - beta1)) in
    u beta1 g (fun _ => alpha) (S k) = (1 - beta1) * g (S k) + beta1 * h beta1 g (S k).
  Proof. intros Hb alpha. rewrite one_buffer by exact g0. unfold c, alpha. simpl. field. exact Hb. Qed.

  (** Grokfast's filter with amplification lam, its average begun at 0: (1 + lam) times E. *)
  Theorem grokfast lam k : 1 + lam <> 0 -> 1 - beta1 <> 0 ->
    let alpha := fun _ : nat => - (lam * beta1 / ((1 + lam) * (1 - beta1))) in
    g (S k) + lam * h beta1 g (S k) = (1 + lam) * u beta1 g alpha (S k).
  Proof. intros H1 H2 alpha. rewrite one_buffer by exact g0. unfold c, alpha. simpl. field. auto. Qed.

  (** MARS's correction without a second gradient and without its clip: E with beta1 = 0. *)
  Theorem mars gamma beta k :
    let alpha := gamma * (beta / (1 - beta)) in
    g (S k) + alpha * (g (S k) - g k) = u 0 g (fun _ => alpha) (S k).
  Proof. intros alpha. unfold u. simpl. ring. Qed.
End Family.

(** Nesterov's momentum without slow average: beta1 = 0 and alpha = beta2 on a base with momentum. *)
Theorem nesterov_in_the_base beta2 (g : nat -> R) k : g 0%nat = 0 ->
  m 0 beta2 g (fun _ => beta2) (S k) = (1 - beta2) * g (S k) + beta2 * h beta2 g (S k).
Proof.
  intros g0. induction k as [|k IH]; [simpl; unfold u; simpl; rewrite g0; ring|].
  change (m 0 beta2 g (fun _ => beta2) (S (S k)))
    with (beta2 * m 0 beta2 g (fun _ => beta2) (S k) + (1 - beta2) * u 0 g (fun _ => beta2) (S (S k))).
  rewrite IH. unfold u. simpl. ring.
Qed.

(** All three lie inside |alpha| < 1 / (1 - beta1). *)
Theorem inside_the_region beta1 beta2 : 0 <= beta1 < 1 -> 0 <= beta2 < 1 ->
  Rabs (- (beta1 / (1 - beta1))) < 1 / (1 - beta1) /\ Rabs (- (beta1 * beta1 / (1 - beta1))) < 1 / (1 - beta1)
  /\ Rabs beta2 < 1 / (1 - 0).
Proof.
  intros B1 B2. assert (P : 0 < / (1 - beta1)) by (apply Rinv_0_lt_compat; lra).
  assert (Q : forall x, 0 <= x < 1 -> Rabs (- (x / (1 - beta1))) < 1 / (1 - beta1)).
  { intros x Hx. rewrite Rabs_Ropp, Rabs_right; [apply Rmult_lt_compat_r; lra|].
    apply Rle_ge, Rmult_le_pos; lra. }
  split; [apply Q; lra|split; [apply Q; nra|]].
  replace (1 / (1 - 0)) with 1 by field. rewrite Rabs_right; lra.
Qed.

(** Nesterov's method around SGD whose momentum is an average of the steps (EMA-Nesterov), for every gradient:
    y = theta + B mu, theta' = y - eta g(y), mu' = gamma mu + (1 - gamma)(theta' - theta). The points y at which it reads
    the gradient are those of E on SGD. [grad k] is the gradient at step k, at the point that is given to it. *)
Theorem ema_nesterov B gamma eta (grad : nat -> R -> R) (theta mu y g : nat -> R) k :
  1 - B <> 0 -> mu 0%nat = 0 -> g 0%nat = 0 ->
  (forall j, y j = theta j + B * mu j) ->
  (forall j, g (S j) = grad (S j) (y j)) ->
  (forall j, theta (S j) = y j - eta * g (S j)) ->
  (forall j, mu (S j) = gamma * mu j + (1 - gamma) * (theta (S j) - theta j)) ->
  let beta1 := gamma + (1 - gamma) * B in
  let alpha := - (B * beta1 / (1 - beta1)) in
  1 - beta1 <> 0 ->
  y (S k) = y k - eta / (1 - B) * u beta1 g (fun _ => alpha) (S k).
Proof.
  intros HB mu0 g0 Hy Hg Ht Hmu beta1 alpha H1.
  assert (E : forall j, mu j = - (eta / (1 - B)) * h beta1 g j).
  { induction j as [|j IH]; [rewrite mu0; simpl; ring|].
    rewrite Hmu, Ht, Hy, IH. simpl. unfold beta1. field. exact HB. }
  rewrite one_buffer by exact g0. rewrite !Hy, Hmu, Ht, Hy, !E. unfold c, alpha.
  replace (- - (B * beta1 / (1 - beta1)) * (1 - beta1)) with (B * beta1) by (field; exact H1).
  unfold beta1. field. exact HB.
Qed.

(** *** Vectors: functions on any index type *)
Section Vectors.
  Context {I : Type}.
  Variables (beta1 : R) (alpha : nat -> R) (g : nat -> I -> R).
  Hypothesis g0 : g 0%nat = fun _ => 0.
  Fixpoint va (k : nat) : I -> R :=
    match k with O => fun _ => 0 | S j => fun i => beta1 * va j i + (1 - beta1) * (g (S j) i - g j i) end.
  Fixpoint vh (k : nat) : I -> R :=
    match k with O => fun _ => 0 | S j => fun i => beta1 * vh j i + (1 - beta1) * g (S j) i end.
  Lemma va_at k i : va k i = a beta1 (fun j => g j i) k.
  Proof. induction k; simpl; [reflexivity|]. rewrite IHk; reflexivity. Qed.
  Lemma vh_at k i : vh k i = h beta1 (fun j => g j i) k.
  Proof. induction k; simpl; [reflexivity|]. rewrite IHk; reflexivity. Qed.
  Theorem one_buffer_vector k :
    (fun i => g (S k) i + alpha (S k) * va (S k) i)
    = (fun i => (1 - - alpha (S k) * (1 - beta1)) * g (S k) i + (- alpha (S k) * (1 - beta1)) * vh k i).
  Proof.
    extensionality i. rewrite va_at, vh_at.
    change (g (S k) i) with ((fun j => g j i) (S k)).
    apply (one_buffer beta1 (fun j => g j i) alpha). rewrite g0; reflexivity.
  Qed.
End Vectors.
