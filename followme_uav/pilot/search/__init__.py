"""Views that look for the hero: of ground not looked at for long, or where the hero may be.

`exploration` replaces a patrol route where there is no map, `hero_map` and `hero_search` the search
along known streets. `landing` gives the places that are fit for a landing.
"""
