/** Names from checkpoints and people as identifiers of C and C++. Nothing else of them reaches code. */

import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { type Checked, fail, printable } from '../../diagnostics/index.js';

const LONGEST = 40;

/** What manifests may name code by: what is read from a file becomes part of commands. */
export const Identifier = t.refinement(t.string, (s) => /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(s), 'identifier');

/** What names a program where nothing else does, and what stands behind names that are taken. */
const FALLBACK = 'model';

export type IsTaken = (name: string) => boolean;

/**
 * An identifier for a name that may hold anything: letters, digits and single underscores, beginning with a letter,
 * at most 40 characters, none that is taken; `model` where nothing is left.
 */
export const identifier = (name: string, isTaken: IsTaken = isReserved): string => {
  const safe = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, LONGEST)
    .replace(/_+$/, '');
  if (safe === '') return FALLBACK;
  const begun = /^[0-9]/.test(safe) ? `${FALLBACK}_${safe}`.slice(0, LONGEST) : safe;
  return isTaken(begun) ? `${begun}_${FALLBACK}` : begun;
};

/**
 * The name of a program: the one that was asked for, as it is, else an identifier for that of the graph. Fails with K0801
 * where the one that was asked for cannot be: no program has another name than it was given.
 */
export const programName = (
  asked: string | undefined,
  graph: string,
  isTaken: IsTaken = isReserved,
): Checked<string> => {
  if (asked === undefined) return E.right(identifier(graph, isTaken));
  const possible = identifier(asked, isTaken);
  if (possible === asked) return E.right(asked);
  return fail(
    'K0801',
    `the program cannot be called '${printable(asked, 60)}'${isTaken(asked) ? ': code, files or libraries beside it have that name' : ''}`,
    {
      place: { option: '--target-options' },
      expected: `a name of letters, digits and single underscores, at most ${LONGEST}, that begins with a letter and nothing else has`,
      hint: `name=${possible} can be.`,
    },
  );
};

/*
 * Names that code made of people's names must not have. Files, functions and macros are named after a network, and they
 * stand in one scope with what is listed here. `test/backends/cpp/names.test.ts` looks through generated projects, and the
 * headers that they include, for names that are missing.
 */

/** Words of C99 and of C++ up to 2020. */
const KEYWORDS = `
_bool _complex _imaginary alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t
char32_t char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr constinit
continue decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto
if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public
register reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct
switch template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void
volatile wchar_t while xor xor_eq
`;

/** Headers of C, POSIX and Windows that a file `name.h` would stand before. */
const HEADERS = `
alloca assert complex ctype dirent dlfcn endian err errno error fcntl features fenv getopt glob grp inttypes io
iso646 libgen limits link locale malloc math memory netdb poll pthread pwd regex sched search semaphore setjmp
signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings syslog termios
tgmath threads time uchar unistd utime wchar wctype windows
`;

/** Headers of C++, and what headers define besides macros of capitals and types that end with _t. */
const LIBRARY = `
algorithm ap_axi_sdata ap_fixed array assert_perror be16toh be32toh be64toh daylight deque environ eof
fd_mask fd_set fstream getdate_err htobe16 htobe32 htobe64 htole16 htole32 htole64 i386 iostream issubnormal le16toh
le32toh le64toh linux main math_errhandling null offsetof optarg opterr optind optopt program_invocation_name
program_invocation_short_name pthread_cleanup_pop pthread_cleanup_pop_restore_np pthread_cleanup_push quad signgam
std stderr stdin stdout strdupa strndupa timezone tzname u_char u_int u_long u_short uint ulong unix ushort va_list
vector
`;

/** Names in generated code, and in the headers that come with it. */
const GENERATED = `
abort acc any ap avr ap_axiu ap_ctrl_chain ap_ctrl_none ap_int ap_none ap_traits ap_uint arguments at axis base before
begun bit bit_length bits bits_of bitwise bram check code common compare complete core count cstdint
cstdio cstdlib cyclic data define defined depth dim distance elif empty endif expected factor fflush fifo filter first
float_order floats fputs fraction fread front fwrite gain get given golden_inputs golden_raw high hls ifdef ifndef
impl include input_word is_integral is_same is_signed item items ix iy kanc_ap keep key known kx ky larger last left
length lines low magnitude mask mean memcpy minus mode name native native_type negative next offset op other
output_word over own ox oy pgm_get_far_address pgm_read_byte pgm_read_byte_far pgm_read_dword
pgm_read_dword_far pgm_read_float pgm_read_float_far pgm_read_word pgm_read_word_far pgmspace pipo place plus pop_front port pragma printf push_back range range_ref raw read
read_input reciprocal refused rest result rom_1p rom_int rom_uint root row run same sample scratch self shift
shift_right shifted sign sign_flag smaller square_root stage step strb strcmp stream stream_in stream_out sum table times
to_bool to_double to_int to_int64 to_uint to_uint64 total traits type type_traits typed undef value values variable
whole width word wrap write write_result
`;

/** Files of all projects, targets of make and CMake, and files that Windows cannot have. */
const PROJECT = `
all all_build aux clean con depend edit_cache golden help install nul package package_source prn rebuild_cache
run_tests size test testbench zero_check
`;

/** Files of HLS projects. */
const HLS_PROJECT = `
csim ctest defines hls_stream host kanc_ap_int kanc_hls parameters trace
`;

const wordsOf = (...lists: ReadonlyArray<string>): ReadonlySet<string> =>
  new Set(lists.join(' ').trim().split(/\s+/));

/** In small letters: some file systems do not tell letters from small ones. */
const RESERVED = wordsOf(KEYWORDS, HEADERS, LIBRARY, GENERATED, PROJECT, HLS_PROJECT);
const RESERVED_FOR_FILES = wordsOf(KEYWORDS, HEADERS, PROJECT);

/** Kinds of names: types of libraries, macros, numbered values of generated code and what is made of their names. */
const KINDS: ReadonlyArray<RegExp> = [
  /_t$/i,
  /^[A-Z][A-Z0-9_]+$/,
  /^[LMP]_/,
  /^[a-z]\d*(_\d+)*$/i,
  /^[sv]\d+_/i,
  /^(in|out|code|key|row|sum)\d*$/i,
  /^split_/i,
];

/** For a name that stands alone in code, as that of a top function of HLS. */
export const isReserved = (name: string): boolean =>
  RESERVED.has(name.toLowerCase()) || KINDS.some((kind) => kind.test(name));

/** Ports of Windows. */
const PORT = /^(?:com|lpt)\d$/i;

/** For a name that files have, and functions and macros with something behind it: `name.h`, `name_predict`, `NAME_INPUTS`. */
export const isReservedForFiles = (name: string): boolean =>
  RESERVED_FOR_FILES.has(name.toLowerCase()) || PORT.test(name);
