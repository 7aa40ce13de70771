// @ts-check
/**
 * lifeguard for bench/compare. A package finds itself by its own name, but bench/compare is a package of its own: this
 * file is not, and what it imports is the same build that every other benchmark measures.
 */
export * from "lifeguard";
