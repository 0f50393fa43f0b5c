"""How good appraisals are: errors, a ratio study as assessors do it, and the interval."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from appraiser_model.errors import ModelError
from appraiser_model.valuation import Appraised

type Floats = NDArray[np.float64]


def measure(price_usd: ArrayLike, appraised: Appraised) -> dict[str, float]:
    """Hold appraisals against true prices.

    Args:
        price_usd: What the houses are listed or sold for. [USD], shape (n,), > 0, n > 0
        appraised: What they were appraised at.

    Returns:
        rmse, mae [USD]; r2; mape, mdape, the mean and the median absolute percentage error [%]; ppe10, the percentage
        of appraisals within 10 % of the price [%]; median_ratio, cod [%], prd, prb as in `ratio_study`; coverage, the
        percentage of prices inside the interval [%]; interval_width, the median of the interval's width as a share of
        the appraisal [%].

    Raises:
        ModelError: There is nothing to measure, or the shapes differ.
    """
    price, estimate = np.asarray(price_usd, dtype=np.float64), appraised.price_usd
    if price.shape != estimate.shape or price.ndim != 1 or len(price) == 0:
        raise ModelError(f"prices of shape {price.shape} cannot be held against appraisals of shape {estimate.shape}")
    error = estimate - price
    share = np.abs(error) / price
    inside = (price >= appraised.lower_usd) & (price <= appraised.upper_usd)
    width = (appraised.upper_usd - appraised.lower_usd) / estimate
    return {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "r2": _r2(price, error),
        "mape": float(np.mean(share)) * 100,
        "mdape": float(np.median(share)) * 100,
        "ppe10": float(np.mean(share <= 0.1)) * 100,
        **ratio_study(price, estimate),
        "coverage": float(np.mean(inside)) * 100,
        "interval_width": float(np.median(width)) * 100,
    }


def ratio_study(price_usd: Floats, estimate_usd: Floats) -> dict[str, float]:
    """Figures of a ratio study, after the Standard on Ratio Studies (IAAO, 2013).

    With the ratios r of estimate to price and their median m:

    - median_ratio: m, the level of appraisal; 1 is neither high nor low.
    - cod: mean of |r - m| as a percentage of m, the coefficient of dispersion; 5 to 15 is good for houses. [%]
    - prd: mean of r over the ratio of the sums, the price-related differential; above 1.03 the dear houses are
      appraised too low, below 0.98 too high.
    - prb: slope of (r - m) / m over log2 of the value, the price-related bias; value is the mean of price and
      estimate / m. By so much the ratio changes when the value doubles; within 0.05 of 0 is good. 0 for a single
      value, of which no slope can be taken.
    """
    ratio = estimate_usd / price_usd
    median = float(np.median(ratio))
    value = np.log2((price_usd + estimate_usd / median) / 2)
    deviation = value - value.mean()
    spread = float(np.sum(deviation**2))
    return {
        "median_ratio": median,
        "cod": float(np.mean(np.abs(ratio - median))) / median * 100,
        "prd": float(np.mean(ratio)) / (float(estimate_usd.sum()) / float(price_usd.sum())),
        "prb": float(np.sum(deviation * (ratio - median) / median)) / spread if spread > 0 else 0.0,
    }


def _r2(price_usd: Floats, error_usd: Floats) -> float:
    """Share of the variance explained; 0 where all prices are equal, as there is none to explain."""
    spread = float(np.sum((price_usd - price_usd.mean()) ** 2))
    return 1.0 - float(np.sum(error_usd**2)) / spread if spread > 0 else 0.0
