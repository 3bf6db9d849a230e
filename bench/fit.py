# SPDX-License-Identifier: Apache-2.0
"""Fitting of the small models: softmax, or one hidden layer, by L-BFGS; numpy and scipy alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Net:
    """Standardisation, then linear maps with tanh between."""

    mean: Array
    scale: Array
    layers: tuple[tuple[Array, Array], ...]

    def logits(self, x: Array) -> Array:
        """Scores (n, classes)."""
        h = np.clip((x - self.mean) / self.scale, -6, 6)
        for i, (w, b) in enumerate(self.layers):
            h = h @ w + b
            if i < len(self.layers) - 1:
                h = np.tanh(h)
        return np.asarray(h)

    def probabilities(self, x: Array) -> Array:
        """Softmax of the scores."""
        return softmax(self.logits(x))


def softmax(s: Array) -> Array:
    """Rows sum to one."""
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def fit(
    x: Array,
    y: NDArray[np.int64],
    classes: int,
    *,
    l2: float,
    hidden: int = 0,
    weight: Array | None = None,
    seed: int = 0,
    steps: int = 200,
) -> Net:
    """Minimise weighted cross-entropy + l2 |W|^2; the seed fixes the start of the hidden layer."""
    w = np.ones(len(y)) if weight is None else weight
    w = w / w.sum()
    mean = np.average(x, axis=0, weights=w)
    scale = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w)) + 1e-6
    z = np.clip((x - mean) / scale, -6, 6)
    onehot = np.eye(classes)[y]
    f = x.shape[1]
    rng = np.random.default_rng(seed)
    if hidden:
        shapes = [(f, hidden), (hidden,), (hidden, classes), (classes,)]
        start = [
            rng.normal(0, 1 / np.sqrt(f), (f, hidden)),
            np.zeros(hidden),
            rng.normal(0, 1 / np.sqrt(hidden), (hidden, classes)),
            np.zeros(classes),
        ]
    else:
        shapes = [(f, classes), (classes,)]
        start = [np.zeros((f, classes)), np.zeros(classes)]
    sizes = [int(np.prod(s)) for s in shapes]
    cuts = np.cumsum(sizes)[:-1]

    def unpack(p: Array) -> list[Array]:
        return [a.reshape(s) for a, s in zip(np.split(p, cuts), shapes, strict=True)]

    def loss(p: Array) -> tuple[float, Array]:
        parts = unpack(p)
        if hidden:
            w1, b1, w2, b2 = parts
            h = np.tanh(z @ w1 + b1)
            s = h @ w2 + b2
        else:
            w2, b2 = parts
            s = z @ w2 + b2
        prob = softmax(s)
        value = -(w * np.log(prob[np.arange(len(y)), y] + 1e-12)).sum() + l2 * (w2**2).sum()
        d = (prob - onehot) * w[:, None]
        if not hidden:
            return value, np.concatenate([(z.T @ d + 2 * l2 * w2).ravel(), d.sum(axis=0)])
        dh = (d @ w2.T) * (1 - h**2)
        value += l2 * (w1**2).sum()
        return value, np.concatenate(
            [
                (z.T @ dh + 2 * l2 * w1).ravel(),
                dh.sum(axis=0),
                (h.T @ d + 2 * l2 * w2).ravel(),
                d.sum(axis=0),
            ]
        )

    best = minimize(
        loss,
        np.concatenate([a.ravel() for a in start]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps},
    )
    parts = unpack(best.x)
    layers = tuple((parts[i], parts[i + 1]) for i in range(0, len(parts), 2))
    return Net(mean=mean, scale=scale, layers=layers)
