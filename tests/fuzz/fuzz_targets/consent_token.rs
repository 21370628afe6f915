#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| warifu_fuzz::token::consent_token(data));
