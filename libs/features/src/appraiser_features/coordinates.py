"""Where each zip code lies; read when an encoder is fitted, never when it is used."""

from functools import lru_cache

import zipcodes


@lru_cache(maxsize=1)
def zip_coordinates() -> dict[str, tuple[float, float]]:
    """Latitude and longitude of every zip code. [degrees, WGS 84]

    Source: the package `zipcodes` (US Postal Service codes with the coordinates of their centre). Military addresses
    stand for places abroad and have none. A zip code without an entry is left out.
    """
    return {
        place["zip_code"]: (float(place["lat"]), float(place["long"]))
        for place in zipcodes.list_all()
        if place["zip_code_type"] != "MILITARY" and place["lat"] and place["long"]
    }
