/** Apart from the code that reads grids, so that the help of the command line does not load it. */
export const DEFAULT_GRID = 'act=2,3,4,6,8,hidden=4,6,8,table=3,4,6,8,form=edge';
