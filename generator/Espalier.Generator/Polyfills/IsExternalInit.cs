namespace System.Runtime.CompilerServices;

/// <summary>The compiler asks for this type to emit <c>init</c> accessors; netstandard2.0 has none.</summary>
internal static class IsExternalInit;
