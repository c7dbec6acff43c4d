//! The functions of Python's C API that the agent calls, looked up by name.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::interpreter::symbol;

/// A `PyObject *`.
pub type Object = *mut c_void;

/// Python's C API, as far as it is used. Every function wants the calling thread to hold the interpreter
/// (its lock, or an attached thread state), as a thread does that dispatches bytecode.
#[derive(Clone, Copy)]
pub struct CApi {
    decref: unsafe extern "C" fn(Object),
    fetch_error: unsafe extern "C" fn(*mut Object, *mut Object, *mut Object),
    restore_error: unsafe extern "C" fn(Object, Object, Object),
    utf8: unsafe extern "C" fn(Object, *mut isize) -> *const c_char,
    encode: unsafe extern "C" fn(Object, *const c_char, *const c_char) -> Object,
    bytes_data: unsafe extern "C" fn(Object, *mut *mut c_char, *mut isize) -> c_int,
    new_bytes: unsafe extern "C" fn(*const c_char, isize) -> Object,
    tuple_item: unsafe extern "C" fn(Object, isize) -> Object,
    current_frame: unsafe extern "C" fn() -> Object,
    frame_code: Option<unsafe extern "C" fn(Object) -> Object>,
    original_code: Option<unsafe extern "C" fn(Object) -> Object>,
    /// Address of `PyCode_Type`.
    pub code_type: usize,
    /// Address of `PyUnicode_Type`.
    pub text_type: usize,
    /// Address of `PyType_Type`.
    pub type_type: usize,
}

/// One of the interpreter's functions.
///
/// # Safety
/// `F` is the type of a pointer to the function of this name, as the header of Python's C API gives it
/// (`Include/`, part of the limited API or unchanged from 3.8 to 3.15).
unsafe fn function<F: Copy>(name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    let address = symbol(name)?;
    // SAFETY: the caller's: `F` is a pointer to the function that stands there.
    Some(unsafe { std::mem::transmute_copy(&address) })
}

impl CApi {
    /// Looks the functions up; `None` where one is missing.
    pub fn find() -> Option<Self> {
        // SAFETY: the fields have the types of the functions that they are named after.
        let found = unsafe {
            Self {
                decref: function(c"Py_DecRef")?,
                fetch_error: function(c"PyErr_Fetch")?,
                restore_error: function(c"PyErr_Restore")?,
                utf8: function(c"PyUnicode_AsUTF8AndSize")?,
                encode: function(c"PyUnicode_AsEncodedString")?,
                bytes_data: function(c"PyBytes_AsStringAndSize")?,
                new_bytes: function(c"PyBytes_FromStringAndSize")?,
                tuple_item: function(c"PyTuple_GetItem")?,
                current_frame: function(c"PyEval_GetFrame")?,
                // 3.9 and later.
                frame_code: function(c"PyFrame_GetCode"),
                // 3.11 and later.
                original_code: function(c"PyCode_GetCode"),
                code_type: symbol(c"PyCode_Type")? as usize,
                text_type: symbol(c"PyUnicode_Type")? as usize,
                type_type: symbol(c"PyType_Type")? as usize,
            }
        };
        Some(found)
    }

    /// Runs `ask` with no exception set, and sets the present one again afterwards.
    pub fn aside<R>(&self, ask: impl FnOnce() -> R) -> R {
        let mut error = [std::ptr::null_mut(); 3];
        let [kind, value, traceback] = &mut error;
        // SAFETY: three places for references, which are given back as they were got.
        unsafe { (self.fetch_error)(kind, value, traceback) };
        let result = ask();
        // SAFETY: as above; whatever `ask` has set is dropped.
        unsafe { (self.restore_error)(error[0], error[1], error[2]) };
        result
    }

    /// The content of a `bytes` object.
    pub fn bytes(&self, object: Object) -> Option<Vec<u8>> {
        let (start, length) = self.bytes_span(object)?;
        // SAFETY: the object's content, which does not change.
        Some(unsafe { std::slice::from_raw_parts(start as *const u8, length) }.to_vec())
    }

    /// Where the content of a `bytes` object lies, and its length in bytes.
    pub fn bytes_span(&self, object: Object) -> Option<(usize, usize)> {
        let (mut data, mut length) = (std::ptr::null_mut(), 0);
        // SAFETY: an object that is alive (one that is no `bytes` is refused), and places for the results.
        let failed = unsafe { (self.bytes_data)(object, &raw mut data, &raw mut length) };
        (failed == 0).then_some((data as usize, length as usize))
    }

    /// The text of a `str` object in UTF-8; bytes of a file name that could not be decoded as they were.
    pub fn text(&self, object: Object) -> Option<Vec<u8>> {
        let mut length = 0;
        // SAFETY: an object that is alive (one that is no `str` is refused), and a place for the length.
        let start = unsafe { (self.utf8)(object, &raw mut length) };
        if !start.is_null() {
            // SAFETY: what the object keeps of itself in UTF-8.
            return Some(unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length as usize) }.to_vec());
        }
        for errors in [c"surrogateescape", c"surrogatepass"] {
            let none = std::ptr::null_mut();
            // SAFETY: clears the exception that the attempt before this has set.
            unsafe { (self.restore_error)(none, none, none) };
            // SAFETY: an object that is alive (one that is no `str` is refused), and terminated names.
            let encoded = unsafe { (self.encode)(object, c"utf-8".as_ptr(), errors.as_ptr()) };
            if !encoded.is_null() {
                let owned = Reference { api: self, object: encoded };
                return self.bytes(owned.object);
            }
        }
        None
    }

    /// The first item of a tuple, borrowed.
    pub fn first_item(&self, tuple: Object) -> Option<Object> {
        // SAFETY: an object that is alive; one that is no tuple, or empty, is refused.
        let item = unsafe { (self.tuple_item)(tuple, 0) };
        (!item.is_null()).then_some(item)
    }

    /// A new `bytes` object, which the caller owns.
    pub fn new_bytes(&self, content: &[u8]) -> Option<Object> {
        // SAFETY: the content is copied.
        let made = unsafe { (self.new_bytes)(content.as_ptr().cast(), content.len() as isize) };
        (!made.is_null()).then_some(made)
    }

    /// Gives a reference back.
    pub fn release(&self, object: Object) {
        // SAFETY: the caller owns the reference.
        unsafe { (self.decref)(object) };
    }

    /// Up to 3.10: the frame that the calling thread runs, borrowed.
    pub fn running_frame(&self) -> Option<Object> {
        // SAFETY: gives the running frame, borrowed, or null.
        let frame = unsafe { (self.current_frame)() };
        (!frame.is_null()).then_some(frame)
    }

    /// Up to 3.10: the code object of the frame that the calling thread runs, borrowed from it.
    pub fn running_code(&self) -> Option<Object> {
        let frame = self.running_frame()?;
        if let Some(frame_code) = self.frame_code {
            // SAFETY: a frame that is alive.
            let code = unsafe { frame_code(frame) };
            if code.is_null() {
                return None;
            }
            // The frame keeps it alive.
            self.release(code);
            return Some(code);
        }
        // 3.8: `PyFrameObject` begins with a head of variable size and `f_back` (`Include/frameobject.h`).
        // SAFETY: a frame that is alive.
        Some(unsafe { (frame as *const Object).add(4).read() })
    }

    /// 3.11 and later: the bytecode of a code object as the compiler wrote it.
    pub fn original_bytecode(&self, code: Object) -> Option<Vec<u8>> {
        // SAFETY: a code object that is alive; the result is a new reference or null.
        let original = unsafe { (self.original_code?)(code) };
        if original.is_null() {
            return None;
        }
        let owned = Reference { api: self, object: original };
        self.bytes(owned.object)
    }
}

/// A reference that is given back when it is dropped.
pub struct Reference<'a> {
    api: &'a CApi,
    /// The object.
    pub object: Object,
}

impl Drop for Reference<'_> {
    fn drop(&mut self) {
        self.api.release(self.object);
    }
}
