// @ts-check
/** What the page, the server and its threads agree upon. */

/** The square of the plane that is tile 0/0/0: where it begins, and how far it goes. The set lies within. */
export const PLANE = { re: -2.75, im: 2, side: 4 };

/** Beyond this the pixels are too close together for doubles. */
export const MAX_ZOOM = 40;

/** Pixels to a side of a tile. */
export const SIZES = [128, 256, 512];

/** Steps after which a point counts as inside. */
export const DETAILS = [250, 500, 1000, 2000, 4000, 8000];

/** Of the numbers a tile is made of, to a doubling of the steps: 13 of those, for detail 8000, fit into 16 bits. */
export const FINE = 4096;
