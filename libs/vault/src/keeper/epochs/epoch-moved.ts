/** A bucket was made in an epoch that ended before the bucket was committed. The transaction is rolled back and tried again. */
export class EpochMoved extends Error {
  override readonly name = 'EpochMoved';
}
