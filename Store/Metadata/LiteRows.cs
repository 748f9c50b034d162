using LiteDB.Engine;

namespace ImageStore.Store.Metadata;

/// <summary>The rows of all tables in LiteDB: changes go to a journal first, and from there, many at a time, into leaves.</summary>
/// <remarks>A row for itself would cost several pages a change; so a commit costs four, and a thousand rows cost a few hundred.</remarks>
internal sealed class LiteRows(LiteFile file, long journalBytes) : IDisposable
{
    private const long MaxJournalBytes = 8 << 20;
    private const int JournalsPerSize = 8;
    private const int ForcedJournals = 4;
    private const int FoldLeaves = 12;
    private const int FoldDocuments = 64;

    private readonly Dictionary<string, RowLeaves> _leaves = new(StringComparer.Ordinal);
    private RowJournal? _journal;
    private int _failures;

    /// <summary>Whether journal or log are longer than they should be: <see cref="Tidy"/> is for when nobody waits.</summary>
    public bool IsTidyDue => _journal?.Bytes > Limit || file.IsMoveDue;

    /// <summary>Whether the journal is so long that whoever waits has to.</summary>
    public bool IsTidyOverdue => _journal?.Bytes > Limit * ForcedJournals;

    private long Limit => Math.Clamp(file.Bytes / JournalsPerSize, journalBytes, Math.Max(journalBytes, MaxJournalBytes));

    /// <summary>The names of all tables that have rows, or had.</summary>
    /// <exception cref="Errors.ImageStoreException">The database is damaged, or the disk refused.</exception>
    public IReadOnlyList<string> Tables() =>
        file.Read(engine => Journal(engine).Tables.Union(RowLeaves.Tables(engine), StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList()) ?? [];

    /// <summary>All rows of a table, ordered by key.</summary>
    /// <exception cref="Errors.ImageStoreException">The database is damaged, or the disk refused.</exception>
    public IReadOnlyList<RowChange> Load(string table) =>
        file.Read(engine =>
        {
            var journal = Journal(engine);
            (_leaves[table], var rows) = RowLeaves.Load(engine, table);
            return RowMerge.Apply(rows, journal.Pending(table));
        }) ?? [];

    /// <summary>Makes the changes durable, all or none.</summary>
    /// <exception cref="Errors.ImageStoreException">The disk refused; the state before stands and later changes may succeed.</exception>
    public void Apply(MetadataChanges changes) =>
        file.Write(engine => Journal(engine).Append(engine, changes), sync: true);

    /// <summary>Moves some of the journal into the leaves, or else the log into the data file. Nothing is told of it: a crash that undoes it loses nothing.</summary>
    /// <exception cref="Errors.ImageStoreException">The disk refused; nothing was lost, and it may be tried again.</exception>
    public void Tidy()
    {
        if (_journal?.Bytes > Limit)
        {
            file.Write(FoldSome, sync: false);
        }
        else if (file.IsMoveDue)
        {
            file.Move();
        }
    }

    public void Dispose() => file.Dispose();

    private void FoldSome(LiteEngine engine)
    {
        var journal = Journal(engine);
        var (done, folded) = (0, 0);
        for (; folded < FoldLeaves && done < FoldDocuments && journal.TryPeek(done, out var entry); done++)
        {
            foreach (var (table, key) in entry.Rows)
            {
                if (journal.IsPending(table, key))
                {
                    LeavesOf(engine, table).Fold(engine, journal, table, key);
                    folded++;
                }
            }
        }

        journal.Forget(engine, done);
    }

    private RowJournal Journal(LiteEngine engine)
    {
        if (_failures != file.Failures)
        {
            (_journal, _failures) = (null, file.Failures);
            _leaves.Clear();
        }

        return _journal ??= RowJournal.Load(engine);
    }

    private RowLeaves LeavesOf(LiteEngine engine, string table) =>
        _leaves.TryGetValue(table, out var known) ? known : _leaves[table] = RowLeaves.Load(engine, table).Leaves;
}
