using ImageStore.Store.Errors;

namespace ImageStore.Store.Namespaces;

/// <summary>containerd's identifier rule: letters and digits, joined by <c>-</c>, <c>_</c> or <c>.</c>.</summary>
public static class NamespaceName
{
    /// <summary>Characters of an identifier.</summary>
    public const int MaxLength = Identifier.MaxLength;

    /// <summary>Returns <paramref name="name"/> when it may name a namespace.</summary>
    /// <exception cref="ImageStoreException">It may not (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static string Check(string name) => Identifier.Check(name, "a namespace", "A namespace");
}
