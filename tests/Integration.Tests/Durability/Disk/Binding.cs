namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>A name in a directory and what it stands for; null where it goes.</summary>
internal readonly record struct Binding(Inode Directory, string Name, Inode? Target)
{
    public override string ToString() => $"{(Target is null ? "remove" : "name")} {Directory}/{Name}";
}
