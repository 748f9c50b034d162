namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>The identity of a file, which it keeps whatever it is called.</summary>
/// <param name="kind">What it is.</param>
/// <param name="detail">The target of a symlink, or a device's <c>major:minor</c>.</param>
internal sealed class Inode(InodeKind kind, string detail = "")
{
    public InodeKind Kind => kind;

    public string Detail => detail;

    /// <summary>Where it was named last, for messages.</summary>
    public string LastPath { get; set; } = string.Empty;

    public override string ToString() => LastPath;
}
