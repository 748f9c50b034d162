namespace ImageStore.Integration.Tests.Durability.Disk;

/// <summary>Tells what a disk has when the power goes in the middle of a record.</summary>
/// <remarks>
/// A file's bytes and size are durable once a sync of that file has succeeded that began after they were written. A
/// name is once the directory that holds it was synced; a rename is one change, durable with its new name. Of all other
/// changes any subset may survive, but changes of one name only in their order, and a directory goes only after what
/// was in it. Writes are torn at sectors. A sync that failed says nothing, and no later one speaks for it.
/// </remarks>
internal sealed class PowerCut
{
    private const int SectorBytes = 512;

    private readonly DiskState _state;
    private readonly CutVariant _variant;
    private readonly Random _random;
    private readonly List<string> _fates = [];
    private List<DiskOperation> _pending = [];

    private PowerCut(DiskState before, CutVariant variant, Random random) =>
        (_state, _variant, _random) = (before.Copy(), variant, random);

    /// <summary>The disk after the operations.</summary>
    /// <param name="before">The disk before them, all of it durable.</param>
    /// <param name="operations">What was done until the power went.</param>
    /// <param name="variant">What survives of the unsynced changes.</param>
    /// <param name="random">Where chance decides.</param>
    /// <returns>The disk, and what became of each unsynced change.</returns>
    public static (DiskState State, IReadOnlyList<string> Fates) At(
        DiskState before, IEnumerable<DiskOperation> operations, CutVariant variant, Random random)
    {
        var cut = new PowerCut(before, variant, random);
        foreach (var operation in operations)
        {
            cut.Take(operation);
        }

        cut.Survive(cut._pending);
        return (cut._state, cut._fates);
    }

    private void Take(DiskOperation operation)
    {
        switch (operation)
        {
            case InodeSync sync:
                Settle(sync, change => Covers(sync, change), sync.Failed);
                break;
            case WholeSync sync:
                Settle(sync, _ => true, sync.Failed);
                break;
            case NameChange { Created: { } created } names:
                _state.Add(created, names.Initial!);
                _pending.Add(names);
                break;
            default:
                _pending.Add(operation);
                break;
        }
    }

    private static bool Covers(InodeSync sync, DiskOperation change) => change switch
    {
        FileWrite write => write.Inode == sync.Inode,
        LengthChange length => length.Inode == sync.Inode,
        AttributeChange attribute => sync.Attributes && attribute.Inode == sync.Inode,
        NameChange names => Holders(names).All(directory => directory == sync.Inode),
        _ => false,
    };

    /// <summary>The directories that have to be synced: those of new names, or of the old one where there is no new.</summary>
    private static IEnumerable<Inode> Holders(NameChange names)
    {
        var made = names.Bindings.Where(binding => binding.Target is not null).Select(binding => binding.Directory).ToList();
        return made.Count > 0 ? made : names.Bindings.Select(binding => binding.Directory);
    }

    private void Settle(DiskOperation sync, Func<DiskOperation, bool> covers, bool failed)
    {
        // A later change of a name that is durable cannot be without the earlier ones of it.
        var needed = new NameOrder();
        HashSet<DiskOperation> settled = new(ReferenceEqualityComparer.Instance);
        foreach (var change in Enumerable.Reverse(_pending))
        {
            if ((change.Left < sync.Entered && covers(change)) || (change is NameChange names && needed.IsBefore(names)))
            {
                settled.Add(change);
                needed.Add(change);
            }
        }

        var now = _pending.Where(settled.Contains).ToList();
        _pending = [.. _pending.Where(change => !settled.Contains(change))];
        if (failed)
        {
            Survive(now);
        }
        else
        {
            now.ForEach(_state.Apply);
        }
    }

    /// <summary>Lets chance decide on each change.</summary>
    private void Survive(List<DiskOperation> changes)
    {
        var lostNames = new NameOrder();
        HashSet<(Inode, string)> lostAttributes = [];
        foreach (var change in changes)
        {
            var fate = change switch
            {
                NameChange names when lostNames.IsAfter(names) || !Chance(_variant.Names) => Lose(names),
                AttributeChange attribute when lostAttributes.Contains((attribute.Inode, attribute.Key)) || !Chance(_variant.Data) =>
                    Drop(attribute),
                FileWrite write when !Chance(_variant.Data) => Tear(write),
                LengthChange when !Chance(_variant.Data) => "lost",
                _ => Keep(change),
            };
            _fates.Add($"{fate}: {change}");
        }

        string Lose(NameChange names)
        {
            lostNames.Add(names);
            return "lost";
        }

        string Drop(AttributeChange attribute)
        {
            lostAttributes.Add((attribute.Inode, attribute.Key));
            return "lost";
        }
    }

    private bool Chance(double share) => _random.NextDouble() < share;

    private string Keep(DiskOperation change)
    {
        _state.Apply(change);
        return "kept";
    }

    private string Tear(FileWrite write)
    {
        var file = _state[write.Inode];
        if (Chance(_variant.Torn))
        {
            for (var done = 0; done < write.Bytes.Length;)
            {
                var count = Math.Min(write.Bytes.Length - done, SectorBytes - (int)((write.Offset + done) % SectorBytes));
                if (_random.Next(2) == 0)
                {
                    file.Write(write.Bytes.AsSpan(done, count), write.Offset + done);
                }

                done += count;
            }

            return "torn";
        }

        if (!Chance(_variant.Holes))
        {
            return "lost";
        }

        file.SetLength(Math.Max(file.Length, write.Offset + write.Bytes.Length));
        return "a hole";
    }
}
