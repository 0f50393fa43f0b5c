"""The chart of a price within its range."""

import altair as alt

from appraiser_schema import Interval
from appraiser_ui.charts import DOLLARS
from appraiser_ui.palette import INK, RAISES, WORDS
from appraiser_ui.words import say


def interval_chart(price_usd: float, interval: Interval) -> alt.LayerChart | alt.FacetChart:
    """Draw the range as a band and the price as a mark on it."""
    row = {"lower": interval.lower_usd, "upper": interval.upper_usd, "price": price_usd}
    air = 0.06 * (interval.upper_usd - interval.lower_usd)
    scale = alt.Scale(domain=[interval.lower_usd - air, interval.upper_usd + air], nice=False, zero=False)
    axis = alt.Axis(format=DOLLARS, tickCount=5, labelFlush=True, grid=False, **WORDS)
    chart = alt.Chart(alt.InlineData(values=[row]))
    band = chart.mark_bar(size=12, color=RAISES, cornerRadius=6).encode(
        x=alt.X("lower:Q", title=say("appraise.why.axis"), scale=scale, axis=axis),
        x2="upper:Q",
        tooltip=alt.value(None),
    )
    mark = chart.mark_tick(thickness=5, size=26, color=INK).encode(x=alt.X("price:Q", scale=scale))
    return alt.layer(band, mark).properties(height=78)
