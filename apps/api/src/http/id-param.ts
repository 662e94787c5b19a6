import { Id } from './fields.js';

/** The id in an address: `@Param() { id }: IdParam`. One that is no id of ours is refused before anything is asked. */
export class IdParam {
  @Id()
  id!: string;
}
