/** Who may try to pass off one chain for another (docs/digest-chain.md, "Who can do what"). */
export type Attacker =
  | 'registry pusher'
  | 'pull-request author'
  | 'other tenant'
  | 'base image'
  | 'sibling task'
  | 'registry'
  | 'scanner component';
