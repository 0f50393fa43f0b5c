"""The housing markets that the simulator knows: states and the metropolitan areas that lift prices around them."""

from typing import Final, NamedTuple


class State(NamedTuple):
    """What is usual in a state. Rounded levels of public US listings of 2022.

    Attributes:
        listings: Its share of all listings. [per mille]
        usd_per_sqft: Median price per living area.
        sold: Share of its listings that are sold. [percent]
    """

    listings: float
    usd_per_sqft: float
    sold: float


class Metro(NamedTuple):
    """A metropolitan area.

    Attributes:
        latitude: Of its centre. [degrees]
        longitude: Of its centre. [degrees]
        premium: What its centre adds to the natural logarithm of the price; negative where decline shows.
        radius: Distance at which six tenths of the premium are left. [miles]
        weight: How many more listings stand in its centre than in the country; about its population in millions.
    """

    latitude: float
    longitude: float
    premium: float
    radius: float
    weight: float


STATES: Final[dict[str, State]] = {
    "Alabama": State(8.5, 135, 50),
    "Alaska": State(0.6, 225, 5),
    "Arizona": State(46, 245, 62),
    "Arkansas": State(8, 140, 35),
    "California": State(146, 450, 66),
    "Colorado": State(14, 245, 28),
    "Connecticut": State(5.5, 220, 2),
    "Delaware": State(4.7, 180, 58),
    "District of Columbia": State(2.3, 460, 65),
    "Florida": State(101, 225, 48),
    "Georgia": State(36, 160, 50),
    "Hawaii": State(2.9, 600, 10),
    "Idaho": State(8.3, 265, 44),
    "Illinois": State(34, 155, 52),
    "Indiana": State(5.2, 135, 2),
    "Iowa": State(10.6, 140, 61),
    "Kansas": State(5.7, 115, 44),
    "Kentucky": State(9.5, 135, 51),
    "Louisiana": State(8, 145, 27),
    "Maine": State(0.5, 190, 2),
    "Maryland": State(27, 205, 63),
    "Massachusetts": State(23.6, 290, 87),
    "Michigan": State(14, 130, 25),
    "Minnesota": State(24.6, 160, 60),
    "Mississippi": State(1.7, 120, 26),
    "Missouri": State(19.4, 130, 61),
    "Montana": State(3.3, 225, 64),
    "Nebraska": State(2.8, 145, 5),
    "Nevada": State(7.3, 285, 47),
    "New Hampshire": State(0.7, 220, 7),
    "New Jersey": State(15.5, 210, 41),
    "New Mexico": State(8.1, 170, 66),
    "New York": State(37, 165, 50),
    "North Carolina": State(26, 180, 59),
    "North Dakota": State(0.9, 135, 2),
    "Ohio": State(34, 112, 50),
    "Oklahoma": State(21, 130, 71),
    "Oregon": State(17, 300, 49),
    "Pennsylvania": State(38.7, 153, 58),
    "Puerto Rico": State(0.4, 160, 50),
    "Rhode Island": State(4.7, 255, 78),
    "South Carolina": State(10.7, 177, 39),
    "South Dakota": State(0.6, 145, 2),
    "Tennessee": State(12, 180, 25),
    "Texas": State(97, 165, 65),
    "Utah": State(3.5, 270, 11),
    "Vermont": State(0.5, 190, 2),
    "Virginia": State(35, 195, 69),
    "Washington": State(38, 320, 71),
    "West Virginia": State(4.4, 125, 68),
    "Wisconsin": State(12.4, 147, 55),
    "Wyoming": State(0.4, 195, 2),
}

METROS: Final[dict[str, Metro]] = {
    "Albany": Metro(42.65, -73.76, 0.15, 15, 0.9),
    "Albuquerque": Metro(35.08, -106.65, 0.15, 15, 0.9),
    "Atlanta": Metro(33.78, -84.38, 0.40, 18, 6),
    "Austin": Metro(30.28, -97.75, 0.75, 20, 2.3),
    "Baltimore": Metro(39.29, -76.61, -0.15, 5, 2.8),
    "Bend": Metro(44.06, -121.31, 0.45, 15, 0.2),
    "Boise": Metro(43.62, -116.20, 0.30, 18, 0.8),
    "Boston": Metro(42.36, -71.06, 0.75, 17, 4.9),
    "Boulder": Metro(40.02, -105.27, 0.50, 10, 0.3),
    "Buffalo": Metro(42.89, -78.87, -0.10, 10, 1.1),
    "Cape Cod": Metro(41.68, -70.20, 0.55, 18, 0.3),
    "Charleston": Metro(32.78, -79.94, 0.75, 14, 0.8),
    "Charlotte": Metro(35.22, -80.84, 0.35, 17, 2.7),
    "Chicago": Metro(41.89, -87.63, 0.60, 14, 9),
    "Cincinnati": Metro(39.11, -84.51, 0.25, 14, 2.2),
    "Cleveland": Metro(41.49, -81.69, -0.20, 7, 2.1),
    "Columbus": Metro(39.97, -83.00, 0.40, 15, 2.1),
    "Dallas": Metro(32.82, -96.80, 0.45, 20, 7.6),
    "Denver": Metro(39.73, -104.98, 0.40, 20, 3),
    "Detroit": Metro(42.36, -83.08, -0.75, 6, 2),
    "El Paso": Metro(31.78, -106.44, -0.15, 15, 0.9),
    "Fresno": Metro(36.75, -119.78, -0.45, 35, 1),
    "Greenwich": Metro(41.05, -73.62, 1.00, 12, 0.5),
    "Hamptons": Metro(40.93, -72.35, 1.25, 14, 0.2),
    "Houston": Metro(29.75, -95.40, 0.30, 16, 7.1),
    "Indianapolis": Metro(39.80, -86.15, 0.20, 16, 2.1),
    "Inland Empire": Metro(34.00, -117.20, -0.15, 25, 4.6),
    "Jackson Hole": Metro(43.48, -110.76, 1.30, 20, 0.05),
    "Jacksonville": Metro(30.32, -81.66, 0.05, 18, 1.6),
    "Kansas City": Metro(39.05, -94.58, 0.20, 16, 2.2),
    "Lake Tahoe": Metro(39.10, -120.03, 0.70, 15, 0.1),
    "Las Vegas": Metro(36.15, -115.17, 0.10, 18, 2.3),
    "Los Angeles": Metro(34.05, -118.40, 0.60, 20, 9.8),
    "Louisville": Metro(38.24, -85.74, 0.20, 13, 1.3),
    "Malibu": Metro(34.04, -118.62, 0.70, 7, 0.2),
    "Manhattan": Metro(40.76, -73.98, 1.75, 10, 9),
    "Memphis": Metro(35.13, -89.98, -0.20, 12, 1.3),
    "Miami": Metro(25.78, -80.17, 0.55, 17, 4.5),
    "Milwaukee": Metro(43.04, -87.92, 0.15, 13, 1.6),
    "Minneapolis": Metro(44.96, -93.25, 0.35, 18, 3.7),
    "Naples": Metro(26.15, -81.79, 0.75, 14, 0.4),
    "Nashville": Metro(36.15, -86.78, 0.60, 20, 2),
    "New Orleans": Metro(29.95, -90.08, 0.30, 12, 1.2),
    "Newport": Metro(41.49, -71.31, 0.60, 10, 0.1),
    "Oklahoma City": Metro(35.48, -97.52, 0.15, 16, 1.4),
    "Omaha": Metro(41.26, -96.02, 0.20, 14, 1),
    "Orange County": Metro(33.63, -117.87, 0.75, 14, 3.2),
    "Orlando": Metro(28.52, -81.38, 0.15, 18, 2.7),
    "Palm Beach": Metro(26.71, -80.04, 0.80, 11, 1),
    "Park City": Metro(40.65, -111.50, 1.00, 10, 0.1),
    "Philadelphia": Metro(39.97, -75.25, 0.35, 22, 6.2),
    "Phoenix": Metro(33.50, -112.02, 0.25, 20, 4.9),
    "Pittsburgh": Metro(40.44, -79.98, 0.20, 14, 2.4),
    "Portland": Metro(45.52, -122.67, 0.30, 17, 2.5),
    "Princeton": Metro(40.36, -74.66, 0.35, 12, 0.4),
    "Providence": Metro(41.82, -71.41, 0.00, 12, 1.6),
    "Raleigh": Metro(35.82, -78.70, 0.40, 18, 2),
    "Reno": Metro(39.53, -119.82, 0.20, 14, 0.5),
    "Richmond": Metro(37.55, -77.47, 0.20, 15, 1.3),
    "Sacramento": Metro(38.58, -121.47, 0.00, 20, 2.4),
    "Saint Louis": Metro(38.63, -90.30, 0.15, 14, 2.8),
    "Salt Lake City": Metro(40.75, -111.88, 0.15, 18, 1.3),
    "San Antonio": Metro(29.45, -98.50, 0.10, 16, 2.5),
    "San Diego": Metro(32.85, -117.20, 0.55, 17, 3.3),
    "San Francisco": Metro(37.78, -122.43, 0.95, 14, 3),
    "Santa Barbara": Metro(34.42, -119.70, 0.80, 12, 0.2),
    "Santa Fe": Metro(35.69, -105.94, 0.65, 14, 0.15),
    "Sarasota": Metro(27.33, -82.53, 0.30, 15, 0.8),
    "Savannah": Metro(32.05, -81.08, 0.25, 14, 0.4),
    "Scottsdale": Metro(33.62, -111.90, 0.60, 8, 0.5),
    "Seattle": Metro(47.62, -122.25, 0.70, 18, 4),
    "Silicon Valley": Metro(37.38, -122.06, 1.05, 14, 2),
    "Spokane": Metro(47.66, -117.42, -0.15, 15, 0.6),
    "Tampa": Metro(27.95, -82.46, 0.15, 16, 3.2),
    "Traverse City": Metro(44.76, -85.62, 0.35, 18, 0.15),
    "Tucson": Metro(32.22, -110.93, 0.00, 15, 1),
    "Tulsa": Metro(36.13, -95.94, 0.10, 14, 1),
    "Virginia Beach": Metro(36.85, -76.10, 0.10, 16, 1.8),
    "Washington": Metro(38.93, -77.07, 0.65, 20, 6.3),
    "Wilmington": Metro(34.22, -77.90, 0.35, 14, 0.3),
}
