namespace ImageStore.Snapshotters.Mounts;

/// <summary>One mount to perform, as containerd's API spells it.</summary>
/// <param name="Type">The file system type, <c>bind</c> or <c>overlay</c>.</param>
/// <param name="Source">What is mounted.</param>
/// <param name="Options">Options in the words of mount(8).</param>
public sealed record Mount(string Type, string Source, IReadOnlyList<string> Options);
