"""Guards the checks of chapter 7's exercises with a bank of right and wrong solutions."""

import math
from collections import defaultdict

import numpy as np
import torch
from banks import Bank, EveryBank, untouched
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from companion.exercises import ch07
from companion.likeness.aligning import similarity
from companion.museum.ch07 import batch_instance_norm

# ---- 1 ----


def by_room(faces, mean, k, low, high):
    apart = faces - mean
    room = torch.where(apart > 0, high - mean, low - mean) / apart
    room = torch.where(apart == 0, math.inf, room)
    return mean + room.amin(1, keepdim=True).clamp(max=k) * apart


def by_loop(faces, mean, k, low, high):
    drawn = []
    for face in faces:
        strength = k
        for own, m, least, most in zip(face, mean, low, high, strict=True):
            if own > m:
                strength = min(strength, float((most - m) / (own - m)))
            elif own < m:
                strength = min(strength, float((least - m) / (own - m)))
        drawn.append(mean + strength * (face - mean))
    return torch.stack(drawn)


def by_both_limits(faces, mean, k, low, high):
    apart = (faces - mean).numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        rooms = np.fmax((high - mean).numpy() / apart, (low - mean).numpy() / apart)
    rooms[apart == 0] = np.inf
    strength = np.minimum(rooms.min(1), k)[:, None]
    return mean.numpy() + strength * apart


def half_limits(faces, mean, k, low, high, *, upper):
    apart = faces - mean
    limit = (high if upper else low) - mean
    room = torch.where(apart > 0 if upper else apart < 0, limit / apart, math.inf)
    return mean + room.amin(1, keepdim=True).clamp(max=k) * apart


def all_held_back(faces, mean, k, low, high):
    apart = faces - mean
    room = torch.where(apart > 0, high - mean, low - mean) / apart
    return mean + room[apart != 0].amin().clamp(max=k) * apart


def whole_room(faces, mean, k, low, high):
    return by_room(faces, mean, math.inf, low, high)


def at_the_mean(faces, mean, k, low, high):
    apart = faces - mean
    room = torch.maximum((high - mean) / apart, (low - mean) / apart)
    return mean + room.amin(1, keepdim=True).clamp(max=k) * apart * (apart / apart)


# ---- 2 ----


def by_complex(points, goal, weights):
    p, q = torch.complex(*points.unbind(1)), torch.complex(*goal.unbind(1))
    share = weights / weights.sum()
    own, other = (share * p).sum(), (share * q).sum()
    a = (share * (p - own).conj() * (q - other)).sum() / (share * (p - own).abs() ** 2).sum()
    moved = a * (p - own) + other
    return torch.stack([moved.real, moved.imag], 1)


def by_least_squares(points, goal, weights):
    """Four unknowns: two of turn and scale, two of the shift."""
    x, y = points.double().unbind(1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    table = torch.stack([torch.stack([x, -y, one, zero], 1), torch.stack([y, x, zero, one], 1)], 1).flatten(
        0, 1
    )
    root = weights.double().sqrt().repeat_interleave(2)[:, None]
    found = torch.linalg.lstsq(root * table, root * goal.double().flatten()[:, None], driver="gelsd").solution
    return (table @ found).view(-1, 2)


def by_umeyama(points, goal, weights, *, mirror=False, scaled=True, turn=lambda r: r):
    share = (weights / weights.sum())[:, None]
    own, other = (share * points).sum(0), (share * goal).sum(0)
    p, q = points - own, goal - other
    u, s, vh = torch.linalg.svd((share * q).T @ p)
    signs = torch.ones_like(s)
    if not mirror:
        signs[1] = torch.det(u) * torch.det(vh)
    scale = (s * signs).sum() / (share * p.square()).sum() if scaled else 1.0
    return scale * p @ turn(u @ torch.diag(signs) @ vh).T + other


def by_parts(points, goal, weights):
    w = weights[:, None]
    own, other = (w * points).sum(0) / w.sum(), (w * goal).sum(0) / w.sum()
    p, q = points - own, goal - other
    along = (w * p * q).sum()
    across = (weights * (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])).sum()
    turn = torch.stack([torch.stack([along, -across]), torch.stack([across, along])]) / (w * p**2).sum()
    return p @ turn.T + other


def chapters(points, goal, weights):
    matrix = torch.from_numpy(similarity(points.numpy(), goal.numpy())).to(points)
    return points @ matrix[:, :2].T + matrix[:, 2]


def half_weighted(points, goal, weights, *, means):
    even = torch.ones_like(weights)
    a, b = (weights, even) if means else (even, weights)
    own, other = (a @ points) / a.sum(), (a @ goal) / a.sum()
    p, q = points - own, goal - other
    x, y = torch.complex(*p.unbind(1)), torch.complex(*q.unbind(1))
    turn = (b * x.conj() * y).sum() / (b * x.abs() ** 2).sum()
    return torch.view_as_real(turn * x) + other


def affine(points, goal, weights):
    places = torch.cat([points, torch.ones(len(points), 1)], 1)
    root = weights.sqrt()[:, None]
    return places @ torch.linalg.lstsq(root * places, root * goal).solution


def shifted(points, goal, weights, *, before):
    own, other = (weights @ points) / weights.sum(), (weights @ goal) / weights.sum()
    p, q = points - own, goal - other
    x, y = torch.complex(*p.unbind(1)), torch.complex(*q.unbind(1))
    turn = (weights * x.conj() * y).sum() / (weights * x.abs() ** 2).sum()
    moved = torch.complex(*(points + (other - own) * before).unbind(1))
    return torch.view_as_real(turn * moved) + (other - own) * (not before)


def with_means_in(points, goal, weights):
    p, q = torch.complex(*points.unbind(1)), torch.complex(*goal.unbind(1))
    turn = (weights * p.conj() * q).sum() / (weights * p.abs() ** 2).sum()
    own, other = (weights * p).sum() / weights.sum(), (weights * q).sum() / weights.sum()
    return torch.view_as_real(turn * (p - own) + other)


def by_spreads(points, goal, weights):
    moved = by_umeyama(points, goal, weights, scaled=False)
    own, other = (weights @ points) / weights.sum(), (weights @ goal) / weights.sum()
    squares = [(weights[:, None] * (of - at) ** 2).sum() for of, at in ((points, own), (goal, other))]
    return (moved - other) * (squares[1] / squares[0]).sqrt() + other


# ---- 3 ----


def chosen(means, logs, truth, known):
    m, s, x = means[known], logs[known], truth[known]
    return 0.5 * ((x - m) ** 2 / s.exp() + s).mean()


def replaced(means, logs, truth, known):
    error = torch.where(known, truth, means.detach()) - means
    terms = (error.square() * (-logs).exp() + logs) / 2
    return (terms * known).sum() / known.sum()


def torchs(means, logs, truth, known):
    return F.gaussian_nll_loss(means[known], truth[known], logs[known].exp())


def distributions(means, logs, truth, known):
    said = torch.distributions.Normal(means[known], (logs[known] / 2).exp())
    return -said.log_prob(truth[known]).mean() - math.log(2 * math.pi) / 2


def terms(error, s):
    return 0.5 * (error.square() / s.exp() + s)


def on_known(term, reduced=lambda t, known: t.mean()):
    return lambda m, s, x, known: reduced(term(x[known] - m[known], s[known]), known)


# ---- 4 ----


def by_quantile(means, doubts, truth, share):
    return torch.quantile((truth - means).abs() / doubts, share, dim=0)


def by_sorting(means, doubts, truth, share):
    away = ((truth - means).abs() / doubts).sort(0).values
    return away[round(share * len(away)) - 1]


def by_numpy(means, doubts, truth, share):
    away = np.abs((truth - means).numpy()) / doubts.numpy()
    return [np.percentile(away[:, column], 100 * share, method="higher") for column in range(away.shape[1])]


def by_halving(means, doubts, truth, share):
    away, factors = (truth - means).abs() / doubts, []
    for column in away.T:
        low, high = 0.0, float(column.max())
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if (column < middle).double().mean() < share else (low, middle)
        factors.append(high)
    return torch.tensor(factors)


# ---- 5 ----


def balanced(picture, whites):
    light = ((picture + 1) / 2) ** 2.2
    white = light[:, whites].median(1).values
    gains = (white.mean() / white) ** 0.5
    return 2 * (light * gains[:, None, None]).clamp(max=1) ** (1 / 2.2) - 1


def in_numpy(picture, whites):
    values = (picture.numpy() + 1) / 2
    white = np.array([np.median(channel[whites.numpy()]) for channel in values]) ** 2.2
    gains = np.sqrt(white.mean() / white) ** (1 / 2.2)  # of values
    return np.minimum(values * gains[:, None, None], 1) * 2 - 1


def changed(
    *,
    light=2.2,
    whites_light=2.2,
    seen=lambda w: w.median(1).values,
    gains=lambda w: (w.mean() / w) ** 0.5,
    most=1.0,
):
    def balance(picture, whites):
        values = (picture + 1) / 2
        gain = gains(seen(values[:, whites] ** whites_light))
        return 2 * (values**light * gain[:, None, None]).clamp(max=most) ** (1 / light) - 1

    return balance


def unscaled(picture, whites):
    light = picture**2.2
    white = light[:, whites].median(1).values
    return (light * ((white.mean() / white) ** 0.5)[:, None, None]).clamp(max=1) ** (1 / 2.2)


# ---- 6 ----


def by_pairs(vectors, who):
    apart, one = torch.cdist(vectors, vectors), who[:, None] == who[None]
    near = apart[one & ~torch.eye(len(who), dtype=torch.bool)]
    far = apart[~one]
    return ((near[:, None] < far).double() + 0.5 * (near[:, None] == far).double()).mean()


def by_sklearn(vectors, who):
    first, second = torch.triu_indices(len(who), len(who), 1)
    apart = (vectors[first] - vectors[second]).norm(dim=1)
    return roc_auc_score((who[first] == who[second]).numpy(), -apart.numpy())


def by_counting(vectors, who):
    near, far = [], []
    for i in range(len(who)):
        for j in range(i):
            (near if who[i] == who[j] else far).append(float((vectors[i] - vectors[j]).square().sum()))
    points = sum((a < b) + 0.5 * (a == b) for a in near for b in far)
    return points / (len(near) * len(far))


def counted(count, *, itself=False, everybody=False):
    def area(vectors, who):
        apart, one = (vectors[:, None] - vectors).norm(dim=2), who[:, None] == who
        pairs = torch.ones(len(who), len(who), dtype=torch.bool).triu(0 if itself else 1)
        near, far = apart[pairs & one], apart[pairs if everybody else pairs & ~one]
        return count(near[:, None], far).double().mean()

    return area


def halves(a, b):
    return (a < b).double() + 0.5 * (a == b).double()


def person_by_person(vectors, who):
    areas = []
    for person in who.unique():
        own, others = vectors[who == person], vectors[who != person]
        if len(own) > 1:
            near = (own[:, None] - own).norm(dim=2)[~torch.eye(len(own), dtype=torch.bool)]
            areas.append(halves(near[:, None], (own[:, None] - others).norm(dim=2).flatten()).mean())
    return torch.stack(areas).mean()


def nearest(vectors, who):
    apart = (vectors[:, None] - vectors).norm(dim=2).fill_diagonal_(math.inf)
    return (who[apart.argmin(1)] == who).double().mean()


# ---- 7 ----


def by_einsum(queries, keys, values):
    weights = (torch.einsum("ndp,ndk->npk", queries, keys) / queries.shape[1] ** 0.5).softmax(-1)
    return torch.einsum("npk,nck->ncp", weights, values)


def by_torch(queries, keys, values):
    return F.scaled_dot_product_attention(queries.mT, keys.mT, values.mT).mT


def keys_first(queries, keys, values):
    weights = (keys.mT @ queries / math.sqrt(queries.shape[1])).softmax(1)
    return values @ weights


def place_by_place(queries, keys, values):
    told = torch.zeros(len(values), values.shape[1], queries.shape[2])
    for n in range(len(values)):
        for p in range(queries.shape[2]):
            scores = (queries[n, :, p, None] * keys[n]).sum(0) / queries.shape[1] ** 0.5
            told[n, :, p] = (values[n] * scores.softmax(0)).sum(1)
    return told


def attended(weigh, scale=lambda q, k: q.shape[1] ** -0.5):
    return lambda q, k, v: v @ weigh(q.mT @ k * scale(q, k)).mT


# ---- 8 ----


def by_statistics(features, example):
    mean, variance = features.mean((2, 3), keepdim=True), features.var((2, 3), correction=0, keepdim=True)
    normal = (features - mean) / (variance + 1e-5).sqrt()
    deviation = example.std((2, 3), correction=0, keepdim=True)
    return normal * deviation + example.mean((2, 3), keepdim=True)


def by_instance_norm(features, example):
    flat = example.flatten(2)
    return (
        F.instance_norm(features) * flat.std(2, correction=0)[..., None, None] + flat.mean(2)[..., None, None]
    )


def map_by_map(features, example):
    made = torch.empty_like(features)
    for n in range(len(features)):
        for c in range(features.shape[1]):
            own, other = features[n, c], example[n, c]
            spread = own.std(correction=0).clamp(min=1e-4)
            made[n, c] = (own - own.mean()) / spread * other.std(correction=0) + other.mean()
    return made


def restyled(axes=(2, 3), others=(2, 3), *, power=0.5, back=0.5, correction=0, mean=1, shift=1):
    def restyle(features, example):
        variance = features.var(axes, correction=correction, keepdim=True) + 1e-8
        variances = example.var(others, correction=correction, keepdim=True)
        normal = (features - mean * features.mean(axes, keepdim=True)) / variance**power
        return normal * variances**back + shift * example.mean(others, keepdim=True)

    return restyle


def museums(features, example):
    return batch_instance_norm(features, example.std((2, 3), correction=0), example.mean((2, 3)))


# ---- 9 ----


def read_off(answers):
    z, rise = {}, {}
    for pictures, said in answers.items():
        z[pictures] = ((said["truth"] - said["means"]).abs() < said["doubts"]).double().mean()
        both = [said[name] - said[name].mean(0) for name in ("truth", "means")]
        rise[pictures] = F.cosine_similarity(*both, dim=0).min()
    if rise["clean"] < -0.35:
        return "mirrored"
    if rise["clean"] < 0.35:
        return "one not learnt"
    if z["clean"] < 0.55:
        return "too sure"
    return "clean pictures only" if z["spoiled"] < 0.6 else "healthy"


def by_root_mean_squares(answers):
    said = answers["clean"]
    error, truth = said["truth"] - said["means"], said["truth"] - said["truth"].mean(0)
    explained = 1 - error.square().mean(0) / truth.square().mean(0)
    if explained.min() < -0.5:
        return "mirrored"
    if explained.min() < 0.15:
        return "one not learnt"
    away = {
        name: ((of["truth"] - of["means"]) / of["doubts"]).square().mean(0).median()
        for name, of in answers.items()
    }
    if away["clean"] > 2:
        return "too sure"
    return "clean pictures only" if away["spoiled"] > 1.3 else "healthy"


def without_signs(answers):
    word = read_off(answers)
    return "too sure" if word == "mirrored" else word


def on_clean_ones(answers):
    return read_off({"clean": answers["clean"], "spoiled": answers["clean"]})


def by_honesty_alone(answers):
    word = read_off(answers)
    return "healthy" if word == "one not learnt" else word


def by_size(answers):
    error = (answers["clean"]["truth"] - answers["clean"]["means"]).abs().mean()
    return "too sure" if error > 2 else read_off(answers)


# ---- 10 ----


def comparisons(names, *, hands=("first",), second=10, sees="photograph", methods=("network", "outlined")):
    drawn = [(name, hand) for name in names for hand in hands] + [(name, "second") for name in names[:second]]
    return [
        dict(photograph=name, hand=hand, sees=sees, method=method)
        for name, hand in drawn
        for method in methods
    ]


def one_each(photographs, *, most=12, fresh=True):
    groups, seen = defaultdict(list), set()
    for photo in photographs:
        if photo["person"] not in seen and not (fresh and photo["looked_at"]):
            seen.add(photo["person"])
            groups[photo["hair"], photo["skin"]].append(photo["name"])
    return [name for place in range(most) for group in groups.values() for name in group[place : place + 1]]


def looked_at_too(photographs):
    return comparisons([photo["name"] for photo in photographs if photo["looked_at"]] + one_each(photographs))


def all_of_them(photographs):
    return comparisons([photo["name"] for photo in photographs if not photo["looked_at"]])


def few_deep_skins(photographs):
    deep = {photo["name"] for photo in photographs if photo["skin"] == "deep"}
    names = sorted(one_each(photographs, most=16), key=lambda name: name in deep)
    return comparisons(names[:34])


def another_hand_each(photographs):
    names = one_each(photographs)
    first, second = (comparisons(names, hands=(m,), second=0, methods=(m,)) for m in ("network", "outlined"))
    return first + second


BANKS = {
    "caricature": Bank(
        ch07.check_caricature,
        right={"room": by_room, "a loop": by_loop, "NumPy": by_both_limits},
        wrong={
            "untouched": (untouched, "waits for you"),
            "cut off": (lambda x, m, k, low, high: (m + k * (x - m)).clamp(low, high), "of somebody else"),
            "cut off before": (
                lambda x, m, k, low, high: m + k * (x.clamp(low, high) - m),
                "where a face ends",
            ),
            "no limits": (lambda x, m, k, low, high: m + k * (x - m), "where a face ends"),
            "held back together": (all_held_back, "everybody back"),
            "mean of the batch": (
                lambda x, m, k, low, high: by_room(x, x.mean(0), k, low, high),
                "Take `mean`",
            ),
            "as far as it goes": (whole_room, "no further than k"),
            "upper alone": (lambda *a: half_limits(*a, upper=True), "upper limits alone"),
            "lower alone": (lambda *a: half_limits(*a, upper=False), "lower limits alone"),
            "limits as room": (
                lambda x, m, k, low, high: by_room(x, m, k, low + m, high + m),
                "begins at the mean",
            ),
            "on top": (
                lambda x, m, k, low, high: x + by_room(x, m, k, low, high) - m,
                "k = 1 has to change nothing",
            ),
            "on top and cut off": (
                lambda x, m, k, low, high: (x + k * (x - m)).clamp(low, high),
                "k = 1 has to change nothing",
            ),
            "no mean": (lambda x, m, k, low, high: by_room(x, m, k, low, high) - m, "add the mean"),
            "0 / 0": (at_the_mean, "divided by 0"),
            "k ignored": (lambda x, m, k, low, high: by_room(x, m, 2.0, low, high), "no effect"),
        },
    ),
    "laid_over": Bank(
        ch07.check_laid_over,
        right={
            "complex": by_complex,
            "least squares": by_least_squares,
            "singular values": by_umeyama,
            "along and across": by_parts,
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "the chapter's": (chapters, "weigh all points alike"),
            "means alone": (lambda *a: half_weighted(*a, means=True), "the means alone"),
            "turn alone": (lambda *a: half_weighted(*a, means=False), "turn and scale alone"),
            "affine": (affine, "any linear map"),
            "mirror": (lambda *a: by_umeyama(*a, mirror=True), "mirror image"),
            "no scale": (lambda *a: by_umeyama(*a, scaled=False), "leave out the scale"),
            "transposed": (lambda *a: by_umeyama(*a, turn=lambda r: r.T), "transposed"),
            "ratio of spreads": (by_spreads, "ratio of the two spreads"),
            "shift beside turn": (lambda *a: shifted(*a, before=False), "shift by q̄ − a p̄"),
            "shift before turn": (lambda *a: shifted(*a, before=True), "before you turn"),
            "means in": (with_means_in, "take both means away first"),
            "about the origin": (
                lambda p, q, w: by_complex(p, q, w) - (w @ q) / w.sum(),
                "to the goal's mean",
            ),
            "a matrix": (lambda p, q, w: torch.eye(2, 3), "of shape"),
            "the goal": (lambda p, q, w: q, "should be"),
            "weights rounded": (lambda p, q, w: by_complex(p, q, (w > 0).to(w)), "should be"),
        },
    ),
    "doubtful_loss": Bank(
        ch07.check_doubtful_loss,
        right={
            "what is known": chosen,
            "replaced": replaced,
            "torch's": torchs,
            "distributions": distributions,
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "the chapter's": (on_known(lambda d, s: 0.5 * (d / s.exp()) ** 2 + s), "log σ² for log σ"),
            "deviation": (on_known(lambda d, s: 0.5 * (d**2 / (s / 2).exp() + s)), "divided by the variance"),
            "no log": (on_known(lambda d, s: 0.5 * d**2 / s.exp()), "costs nothing"),
            "whole log": (on_known(lambda d, s: 0.5 * d**2 / s.exp() + s), "half of log σ²"),
            "whole square": (on_known(lambda d, s: d**2 / s.exp() + 0.5 * s), "half of the squared error"),
            "no half": (on_known(lambda d, s: d**2 / s.exp() + s), "The half is missing"),
            "sign of the log": (on_known(lambda d, s: 0.5 * (d**2 / s.exp() - s)), "other sign"),
            "times": (on_known(lambda d, s: 0.5 * (d**2 * s.exp() + s)), "multiply by the variance"),
            "no exp": (on_known(lambda d, s: 0.5 * (d**2 / s + s)), "exponential"),
            "no square": (on_known(lambda d, s: 0.5 * (d / s.exp() + s)), "do not square"),
            "size": (on_known(lambda d, s: 0.5 * (d.abs() / s.exp() + s)), "error's size"),
            "constant": (on_known(lambda d, s: terms(d, s) + 0.5 * math.log(2 * math.pi)), "constant"),
            "likelihood": (on_known(lambda d, s: -terms(d, s)), "its negative"),
            "sum": (on_known(terms, lambda t, known: t.sum()), "You sum;"),
            "by all": (on_known(terms, lambda t, known: t.sum() / known.numel()), "how many are known"),
            "a face's sum": (on_known(terms, lambda t, known: t.sum() / len(known)), "numbers of a face"),
            "a mask": (lambda m, s, x, known: (terms(x - m, s) * known).sum() / known.sum(), "0 · NaN"),
            "everything": (lambda m, s, x, known: terms(x - m, s).mean(), "0 · NaN"),
            "chosen too late": (lambda m, s, x, known: terms(x - m, s).nanmean(), "gradient is NaN"),
            "replaced by 0": (lambda m, s, x, known: terms(x.nan_to_num() - m, s).mean(), "should be"),
            "a number": (lambda *a: float(chosen(*a)), "nobody could train with it"),
            "doubts detached": (lambda m, s, x, known: chosen(m, s.detach(), x, known), "gradient is not"),
        },
    ),
    "honest_factors": Bank(
        ch07.check_honest_factors,
        right={"quantile": by_quantile, "sorting": by_sorting, "NumPy": by_numpy, "halving": by_halving},
        wrong={
            "untouched": (untouched, "waits for you"),
            "mean square": (lambda m, s, x, p: ((x - m) / s).square().mean(0).sqrt(), "root mean square"),
            "deviation": (lambda m, s, x, p: ((x - m) / s).std(0), "You take the deviation"),
            "no doubts": (lambda m, s, x, p: (x - m).abs().quantile(p, 0), "forget the doubts"),
            "signs": (lambda m, s, x, p: ((x - m) / s).quantile(p, 0), "go both ways"),
            "mean doubt": (lambda m, s, x, p: (x - m).abs().quantile(p, 0) / s.mean(0), "mean doubt"),
            "one for all": (
                lambda m, s, x, p: ((x - m).abs() / s).flatten().quantile(p).expand(x.shape[1]),
                "together",
            ),
            "one": (lambda m, s, x, p: ((x - m).abs() / s).flatten().quantile(p), "return one factor"),
            "faces": (lambda m, s, x, p: ((x - m).abs() / s).quantile(p, 1), "over the faces"),
            "wrong way": (lambda *a: 1 / by_quantile(*a), "wrong way round"),
            "share": (lambda m, s, x, p: ((x - m).abs() < s).to(x).mean(0), "wanted is a factor"),
            "ratio": (lambda m, s, x, p: p / ((x - m).abs() < s).to(x).mean(0), "less than twice as many"),
            "outside": (lambda m, s, x, p: by_quantile(m, s, x, 1 - p), "lie within"),
            "always 68 %": (lambda m, s, x, p: by_quantile(m, s, x, 0.68), "no effect"),
        },
    ),
    "in_white_light": Bank(
        ch07.check_in_white_light,
        right={"in light": balanced, "NumPy, gains of values": in_numpy},
        wrong={
            "untouched": (untouched, "waits for you"),
            "no gamma": (changed(light=1, whites_light=1), "as if they were light"),
            "gains of values": (changed(whites_light=1), "come from values"),
            "gains on values": (changed(light=1), "multiply the values by them"),
            "gamma the other way": (changed(light=1 / 2.2, whites_light=1 / 2.2), "other way round"),
            "mean of whites": (changed(seen=lambda w: w.mean(1)), "a lash or a gloss"),
            "brightest whites": (changed(seen=lambda w: w.amax(1)), "at their brightest"),
            "wholly": (changed(gains=lambda w: w.mean() / w), "believe the whites wholly"),
            "half the gain": (changed(gains=lambda w: w.mean() / w / 2), "half of the gain"),
            "straight": (changed(gains=lambda w: (1 + w.mean() / w) / 2), "straight line"),
            "stronger": (changed(gains=lambda w: (w / w.mean()) ** 0.5), "tint stronger"),
            "to 1": (changed(gains=lambda w: w**-0.5), "bring the whites to 1"),
            "to the brightest": (changed(gains=lambda w: (w.max() / w) ** 0.5), "brightest channel"),
            "to green": (changed(gains=lambda w: (w[1] / w) ** 0.5), "to green"),
            "one gain": (changed(gains=lambda w: ((w.mean() / w) ** 0.5).mean().expand(3)), "One gain"),
            "whole picture": (lambda p, w: balanced(p, torch.ones_like(w)), "whole picture"),
            "all but the whites": (lambda p, w: balanced(p, ~w), "not white"),
            "not cut off": (changed(most=math.inf), "do not cut off"),
            "0 to 1": (lambda p, w: (balanced(p, w) + 1) / 2, "leave the values in [0, 1]"),
            "range": (unscaled, "from [−1, 1] to"),
            "as it came": (lambda p, w: p, "."),
        },
    ),
    "same_person": Bank(
        ch07.check_same_person,
        right={"pairs": by_pairs, "scikit-learn": by_sklearn, "counting": by_counting},
        wrong={
            "untouched": (untouched, "waits for you"),
            "no ties": (counted(lambda a, b: a < b), "do not count ties"),
            "whole ties": (counted(lambda a, b: a <= b), "ties count whole"),
            "wrong way": (counted(lambda a, b: halves(b, a)), "wrong way round"),
            "itself": (counted(halves, itself=True), "with themselves"),
            "everybody": (counted(halves, everybody=True), "with all pairs"),
            "person by person": (person_by_person, "all pairs count alike"),
            "nearest": (nearest, "whose photograph is the nearest"),
            "streets": (
                lambda v, who: roc_auc_score(
                    *(
                        of[np.triu_indices(len(who), 1)]
                        for of in ((who[:, None] == who).numpy(), -torch.cdist(v, v, p=1).numpy())
                    )
                ),
                "by streets",
            ),
            "always": (lambda v, who: 0.9, "should be"),
        },
    ),
    "attention": Bank(
        ch07.check_attention,
        right={
            "einsum": by_einsum,
            "torch's": by_torch,
            "keys first": keys_first,
            "place by place": place_by_place,
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "the museum's": (attended(lambda s: s.softmax(1)), "over the places that ask"),
            "over pictures": (attended(lambda s: s.softmax(0)), "over the pictures"),
            "over all": (attended(lambda s: s.flatten(1).softmax(1).view_as(s)), "together"),
            "not scaled": (attended(lambda s: s.softmax(2), lambda q, k: 1), "do not scale"),
            "by d": (attended(lambda s: s.softmax(2), lambda q, k: 1 / q.shape[1]), "by d; it is"),
            "by keys": (attended(lambda s: s.softmax(2), lambda q, k: k.shape[2] ** -0.5), "number of keys"),
            "by places": (
                attended(lambda s: s.softmax(2), lambda q, k: q.shape[2] ** -0.5),
                "number of places",
            ),
            "times": (
                attended(lambda s: s.softmax(2), lambda q, k: q.shape[1] ** 0.5),
                "multiply the scores",
            ),
            "no softmax": (attended(lambda s: s), "scores themselves"),
            "sigmoid": (attended(torch.sigmoid), "sigmoid"),
            "exponential": (attended(torch.exp), "."),
            "loudest": (attended(lambda s: (s == s.amax(2, keepdim=True)).to(s)), "loudest key alone"),
            "alike": (attended(lambda s: torch.ones_like(s) / s.shape[2]), "the same of your attention"),
            "overflow": (
                attended(lambda s: s.exp() / s.exp().sum(2, keepdim=True)),
                "largest score of each place",
            ),
            "one maximum for all": (
                attended(lambda s: (w := (s - s.max()).exp()) / w.sum(2, keepdim=True)),
                "largest score of each place",
            ),
            "channels last": (lambda q, k, v: by_torch(q, k, v).mT, "channels come first"),
            "not transposed": (lambda q, k, v: F.scaled_dot_product_attention(q, k, v), "transpose"),
        },
    ),
    "restyled": Bank(
        ch07.check_restyled,
        right={"statistics": by_statistics, "torch's": by_instance_norm, "map by map": map_by_map},
        wrong={
            "untouched": (untouched, "waits for you"),
            "the museum's": (museums, "what a picture becomes depends on its neighbours"),
            "batch": (restyled((0, 2, 3), (0, 2, 3)), "style then depends"),
            "example's batch": (restyled((2, 3), (0, 2, 3)), "an example of its own"),
            "channels": (restyled((1, 2, 3), (1, 2, 3)), "over the channels"),
            "by variance": (restyled(power=1), "divide by the variance"),
            "times variance": (restyled(back=1), "multiply by the example's variance"),
            "variances": (restyled(power=1, back=1), "by variances"),
            "one less": (restyled(correction=1), "one place less"),
            "no mean": (restyled(shift=0), "leave out the example's mean"),
            "own mean": (restyled(mean=0), "own mean in"),
            "own deviation": (restyled(power=0, back=0), "own deviation"),
            "deviation 1": (restyled(back=0), "on to the example's"),
            "flat": (
                lambda f, e: (
                    (f - f.mean((2, 3), keepdim=True))
                    / f.std((2, 3), correction=0, keepdim=True)
                    * e.std((2, 3), correction=0, keepdim=True)
                    + e.mean((2, 3), keepdim=True)
                ),
                "flat map",
            ),
            "as they are": (lambda f, e: f, "should be"),
        },
    ),
    "diagnose": Bank(
        ch07.check_diagnose,
        right={"shares and rises": read_off, "mean squares": by_root_mean_squares},
        wrong={
            "untouched": (untouched, "waits for you"),
            "always healthy": (lambda answers: "healthy", "you call it healthy"),
            "without signs": (without_signs, "fall where the truth rises"),
            "clean ones alone": (on_clean_ones, "without doubting more"),
            "honesty alone": (by_honesty_alone, "may be honest"),
            "the error's size": (by_size, "size of an error says nothing"),
            "another word": (lambda answers: "fine", "the words are"),
        },
    ),
    "plan": Bank(
        ch07.check_plan,
        right={
            "twelve of each": lambda photographs: comparisons(one_each(photographs)),
            "ten of each, all by two": lambda photographs: comparisons(
                one_each(photographs, most=10), hands=("Ada", "Ben"), second=0
            ),
        },
        wrong={
            "untouched": (untouched, "waits for you"),
            "a table": (lambda photographs: {"runs": one_each(photographs)}, "a list of dictionaries"),
            "names alone": (lambda photographs: [{"photograph": "a.jpg"}], "Each comparison names"),
            "no such photograph": (lambda photographs: comparisons(["me.jpg"]), "that you were given"),
            "another method": (
                lambda photographs: comparisons(one_each(photographs), methods=("network", "by hand")),
                "A method is one of",
            ),
            "sees the answer": (
                lambda photographs: comparisons(one_each(photographs), sees="outlined"),
                "will agree with it",
            ),
            "one method": (
                lambda photographs: comparisons(one_each(photographs), methods=("outlined",)),
                "one method alone",
            ),
            "another hand each": (another_hand_each, "one method alone"),
            "twice": (lambda photographs: 2 * comparisons(one_each(photographs)), "stands twice"),
            "looked at": (looked_at_too, "bound to be good"),
            "all": (all_of_them, "two photographs"),
            "few": (lambda photographs: comparisons(one_each(photographs, most=8)), "fewer than 30"),
            "no deep skins": (few_deep_skins, "dark hair over deep skin"),
            "nobody twice": (lambda photographs: comparisons(one_each(photographs), second=0), "two hands"),
            "too many": (
                lambda photographs: comparisons(one_each(photographs), hands=("Ada", "Ben"), second=0),
                "there is time for",
            ),
        },
    ),
}


class TestBanks(EveryBank):
    banks = BANKS


def test_the_kinds_of_readers_can_be_told_apart_and_differ_from_seed_to_seed():
    for word in ch07.WORDS:
        assert all(read_off(ch07.answered(word, seed)) == word for seed in range(40))
        assert all(by_root_mean_squares(ch07.answered(word, seed)) == word for seed in range(40))
        one, other = (ch07.answered(word, seed)["clean"]["truth"] for seed in (1, 2))
        assert not one.equal(other)


def test_a_healthy_reader_is_honest_in_clean_and_in_spoiled_pictures():
    for seed in range(20):
        for said in ch07.answered("healthy", seed).values():
            within = ((said["truth"] - said["means"]).abs() < said["doubts"]).double().mean()
            assert 0.64 < within < 0.72


def test_every_album_has_enough_people_of_each_pairing():
    for seed in range(40):
        names = [photo["name"] for photo in ch07.album(seed)]
        assert len(set(names)) == len(names)
        assert len(one_each(ch07.album(seed))) >= ch07.PEOPLE
