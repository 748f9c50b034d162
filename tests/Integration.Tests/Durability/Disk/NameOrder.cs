namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>Which changes of names have to do with each other: those of one name, and those within a directory with its removal.</summary>
internal sealed class NameOrder
{
    private readonly HashSet<(Inode Directory, string Name)> _names = [];
    private readonly HashSet<Inode> _directories = [];
    private readonly HashSet<Inode> _emptied = [];

    public void Add(DiskOperation change)
    {
        if (change is NameChange names)
        {
            foreach (var binding in names.Bindings)
            {
                _names.Add((binding.Directory, binding.Name));
                _directories.Add(binding.Directory);
            }

            if (names.Emptied is not null)
            {
                _emptied.Add(names.Emptied);
            }
        }
    }

    /// <summary>Whether an earlier change is one that those added so far, all later, build on.</summary>
    public bool IsBefore(NameChange change) =>
        change.Bindings.Any(binding => _names.Contains((binding.Directory, binding.Name)) || _emptied.Contains(binding.Directory));

    /// <summary>Whether a later change builds on one of those added so far, all earlier.</summary>
    public bool IsAfter(NameChange change) =>
        change.Bindings.Any(binding => _names.Contains((binding.Directory, binding.Name)))
        || (change.Emptied is { } emptied && _directories.Contains(emptied));
}
