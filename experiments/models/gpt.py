"""A GPT in GPT-2's form (Radford et al. 2019), from a character model of a laptop's size to the paper's 345 M."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GPT(nn.Module):
    """Pre-norm transformer decoder with learned positions; the output layer shares the token embedding's weight.

    Args:
        vocabulary: Number of tokens.
        classes: Number of tokens that can be predicted; the same.
        context: Longest sequence.
        layers: Number of blocks.
        heads: Attention heads; they must divide ``width``.
        width: Channels. GPT-2 with 24 layers, 16 heads and 1024 channels is the paper's 345 M model.
        dropout: Of embeddings, attention weights and residual branches.

    Raises:
        ValueError: ``heads`` does not divide ``width``, or the vocabulary is not what is predicted.
    """

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        context: int = 64,
        layers: int = 2,
        heads: int = 4,
        width: int = 64,
        dropout: float = 0.0,
    ):
        super().__init__()
        if width % heads:
            raise ValueError(f"heads = {heads} is not allowed; it must divide width = {width}")
        if vocabulary != classes:
            raise ValueError(f"a language model predicts its own tokens: {vocabulary} go in, {classes} come out")
        self.context = context
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.Sequential(*(_Block(heads, width, dropout) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self._initialise(layers)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, length) int64 -> (n, length, vocabulary) logits of the next token."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        hidden = self.dropout(self.tokens(tokens) + self.positions(places))
        return F.linear(self.norm(self.blocks(hidden)), self.tokens.weight)

    def _initialise(self, layers: int) -> None:
        """GPT-2's: normal with deviation 0.02, smaller where a block adds to the residual stream."""
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                scale = 1 / math.sqrt(2 * layers) if name.endswith("leave.weight") else 1.0
                nn.init.normal_(parameter, std=0.02 * scale)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)


class _Block(nn.Module):
    def __init__(self, heads: int, width: int, dropout: float):
        super().__init__()
        self.attention = _Attention(heads, width, dropout)
        self.perceptron = _Perceptron(width, dropout)
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = hidden + self.attention(self.norms[0](hidden))
        return hidden + self.perceptron(self.norms[1](hidden))


class _Attention(nn.Module):
    """Causal self-attention."""

    def __init__(self, heads: int, width: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.enter = nn.Linear(width, 3 * width)
        self.leave = nn.Linear(width, width)
        self.after = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.enter(hidden).chunk(3, dim=-1)
        )
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        return self.after(self.leave(mixed.transpose(1, 2).flatten(-2)))


class _Perceptron(nn.Module):
    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.enter = nn.Linear(width, 4 * width)
        self.leave = nn.Linear(4 * width, width)
        self.after = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.after(self.leave(F.gelu(self.enter(hidden), approximate="tanh")))
