/** How a cell's block is cut up. Here, because a block's smallest size follows from it and `lib/cell` builds by it. */
/**
 * Subnets in each zone, by how many bits their prefix is longer than the cell's: an eighth of the block for services, a
 * thirty-second each for the rest. Of a /20 that is a /23 and two /25; with three zones 9/16 of the block, and what
 * remains is for platforms to come.
 */
export const SUBNET_BITS = { private: 3, public: 5, isolated: 5 } as const;

/** Prefix of the smallest subnet that a load balancer takes. Source: "Subnets for your load balancer", Elastic Load Balancing. */
const SMALLEST_SUBNET = 27;
/** Prefix of the largest network. Source: "VPC CIDR blocks", Amazon VPC User Guide. */
const LARGEST_NETWORK = 16;

/** Prefix lengths that a cell's block may have, the largest block first. */
export const BLOCK_PREFIX = { min: LARGEST_NETWORK, max: SMALLEST_SUBNET - Math.max(...Object.values(SUBNET_BITS)) } as const;
