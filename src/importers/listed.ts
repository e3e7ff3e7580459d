/** Lists in messages: files may hold any number of names. */

/** The first `most` items as `show` has them, and how many there are besides. */
export const listed = <A>(items: ReadonlyArray<A>, most: number, show: (item: A) => string): string => {
  const shown = items.slice(0, most).map(show).join(', ');
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
};
