/**
 * Names that code made of people's names must not have. A file, a function and macros are named after a network, and they
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

/** Headers, and what headers define besides macros of capitals and types that end with _t. */
const LIBRARY = `
algorithm alloca ap_axi_sdata ap_fixed array assert assert_perror be16toh be32toh be64toh complex ctype daylight
deque endian environ eof errno fcntl fd_mask fd_set features fenv fstream getdate_err htobe16 htobe32 htobe64
htole16 htole32 htole64 i386 inttypes io iostream iso646 issubnormal le16toh le32toh le64toh limits linux locale
main malloc math math_errhandling memory null offsetof optarg opterr optind optopt program_invocation_name
program_invocation_short_name pthread_cleanup_pop pthread_cleanup_pop_restore_np pthread_cleanup_push quad sched
setjmp signal signgam std stdalign stdarg stdatomic stdbool stddef stderr stdin stdint stdio stdlib stdnoreturn
stdout strdupa string strings strndupa tgmath threads time timezone tzname u_char u_int u_long u_short uchar uint
ulong unistd unix ushort va_list vector wchar wctype windows
`;

/** Names in generated code, and in the headers that come with it. */
const GENERATED = `
abort acc any ap avr ap_axiu ap_ctrl_chain ap_ctrl_none ap_int ap_none ap_traits ap_uint arguments at axis base before
begun bit bit_length bits bits_of bitwise bram check code common compare complete core count cstdint
cstdio cstdlib cyclic data define defined depth dim distance elif empty endif error expected factor fflush fifo filter first
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

/** Files of projects, and targets of make and CMake. */
const PROJECT = `
all clean csim ctest defines depend edit_cache golden help hls_stream host install kanc_ap_int kanc_hls package
package_source parameters rebuild_cache size test testbench trace
`;

/** In small letters: some file systems do not tell letters from small ones. */
const RESERVED: ReadonlySet<string> = new Set(
  `${KEYWORDS} ${LIBRARY} ${GENERATED} ${PROJECT}`.trim().split(/\s+/),
);

/** Kinds of names: types of libraries, macros, numbered values of generated code and what is made of their names. */
const KINDS: ReadonlyArray<RegExp> = [
  /_t$/i,
  /^[A-Z][A-Z0-9_]+$/,
  /^[LMP]_/,
  /^[a-z]\d*(_\d+)*$/i,
  /^[sv]\d+_/i,
  /^(in|out)\d*$/i,
  /^split_/i,
];

export const isReserved = (name: string): boolean =>
  RESERVED.has(name.toLowerCase()) || KINDS.some((kind) => kind.test(name));
