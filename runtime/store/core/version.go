package core

// GeneratedForRuntime3 is named by generated code. It is renamed when code that
// was generated before does not work with the runtime any more, so that the
// compiler says what to do instead of naming types that do not fit: run
// modulagen generate again.
const GeneratedForRuntime3 = true
